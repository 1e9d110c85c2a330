"""What the pipeline page makes of `/metrics`."""

from datetime import timedelta

import pytest

from operations.report import machinery
from operations.report.content import Word
from tests.operations.answering import AS_OF

METRICS = """\
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.048576e+08
# TYPE process_start_time_seconds gauge
process_start_time_seconds {started}
# TYPE berbagi_messaging_published_total counter
berbagi_messaging_published_total {facts}
# TYPE berbagi_messaging_messages_total counter
berbagi_messaging_messages_total{{type="id.berbagi.visit-submitted.v1",outcome="accepted"}} {visits}
berbagi_messaging_messages_total{{type="id.berbagi.visit-submitted.v1",outcome="refused"}} 20.0
berbagi_messaging_messages_total{{type="id.berbagi.carer-left.v1",outcome="accepted"}} 5.0
# TYPE berbagi_messaging_fact_latency_seconds histogram
berbagi_messaging_fact_latency_seconds_bucket{{le="0.1"}} {quick}
berbagi_messaging_fact_latency_seconds_bucket{{le="0.2"}} {all}
berbagi_messaging_fact_latency_seconds_bucket{{le="+Inf"}} {all}
berbagi_messaging_fact_latency_seconds_sum 1.0
berbagi_messaging_fact_latency_seconds_count {all}
"""
STARTED = AS_OF - timedelta(seconds=100)


def metrics(*, visits: int = 1_975, facts: int = 300, quick: int = 50, every: int = 100) -> str:
    return METRICS.format(started=STARTED.timestamp(), visits=visits, facts=facts, quick=quick, all=every)


def test_a_service_is_seen_with_its_rate_memory_and_latency() -> None:
    page = machinery.page({"assignment": machinery.read(metrics(), AS_OF)})

    services, latency, by_type = page.tables
    assert services.rows == (
        ("assignment", 2_000, 300, 100, 20, 100),
        (Word("total"), 2_000, 300, 100, 20, 100),
    )
    assert latency.rows == (
        ("assignment", 100, 0.1, 0.19, 0.198),
        (Word("total"), 100, 0.1, 0.19, 0.198),
    )
    assert by_type.columns == ("type", "accepted", "refused")
    assert by_type.rows == (("carer-left", 5, 0), ("visit-submitted", 1_975, 20))


def test_a_stretch_counts_only_what_happened_in_it() -> None:
    before = machinery.read(metrics(), AS_OF)
    after = machinery.read(metrics(visits=2_475, facts=400, every=200), AS_OF + timedelta(seconds=50))

    stretch = machinery.between(before, after)

    assert (stretch.seconds, stretch.published) == (50, 100)
    assert sum(stretch.messages.values()) == 500
    assert machinery.quantile(stretch.latencies, 0.5) == pytest.approx(0.15), "none of them was quick"


def test_a_service_started_in_between_counts_from_its_start() -> None:
    before = machinery.read(metrics(), STARTED - timedelta(seconds=1))
    after = machinery.read(metrics(), AS_OF)

    assert machinery.between(before, after) == after


def test_beyond_the_last_bound_only_that_bound_is_known() -> None:
    slow = {0.1: 0, 0.2: 1, float("inf"): 100}

    assert machinery.quantile(slow, 0.99) == 0.2
    assert machinery.quantile({0.1: 0, float("inf"): 0}, 0.5) is None


def test_latencies_of_all_services_are_weighed_by_their_facts() -> None:
    looks = {
        "registry": machinery.read(metrics(quick=900, every=900), AS_OF),
        "assignment": machinery.read(metrics(quick=0, every=100), AS_OF),
    }

    latency = machinery.page(looks).tables[1]

    assert (latency.rows or ())[-1] == (Word("total"), 1_000, 0.056, 0.15, 0.19)
