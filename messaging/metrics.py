"""What an operator sees of the promise, sentence by sentence."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60, 300, 3600)

MESSAGES: Final = Counter("berbagi_messaging_messages_total", "messages decided", ["type", "outcome"])
REPEATS: Final = Counter("berbagi_messaging_repeats_total", "messages seen before: no second effect")
BATCH_SECONDS: Final = Histogram("berbagi_messaging_batch_seconds", "one batch, tries included", buckets=_SECONDS)
AGE_SECONDS: Final = Histogram(
    "berbagi_messaging_message_age_seconds", "from the broker to committed, oldest message of a batch", buckets=_SECONDS
)
FACT_SECONDS: Final = Histogram(
    "berbagi_messaging_fact_latency_seconds",
    "from decided to applied by this service, oldest fact of a batch",
    buckets=_SECONDS,
)
RETRIES: Final = Counter("berbagi_messaging_retries_total", "batches tried again", ["error"])
REASONS: Final = ("unreadable", "unknown_type", "bad_data", "bug")
QUARANTINED: Final = Counter("berbagi_messaging_quarantined_total", "messages put aside", ["reason"])
QUARANTINE_ROWS: Final = Gauge(
    "berbagi_messaging_quarantine_open_messages", "messages waiting for an operator", ["reason"]
)
COMMIT_FAILURES: Final = Counter(
    "berbagi_messaging_offset_commit_failures_total", "offsets the broker did not take", ["error"]
)
BREAKER: Final = Gauge("berbagi_messaging_breaker_open", "1 while too many failures stop the consumer")
LAG: Final = Gauge("berbagi_messaging_lag_messages", "end offset less committed, at the broker", ["topic"])
LAG_SECONDS: Final = Gauge("berbagi_messaging_lag_seconds", "age at the broker of the oldest of them", ["topic"])
OUTBOX_ROWS: Final = Gauge("berbagi_messaging_outbox_messages", "facts committed and not published")
OUTBOX_OLDEST: Final = Gauge("berbagi_messaging_outbox_oldest_seconds", "age of the oldest of them")
PUBLISHED: Final = Counter("berbagi_messaging_published_total", "facts published")
RELAY_LEADER: Final = Gauge("berbagi_messaging_relay_leader", "1 in the replica that publishes")
RELAY_FAILURES: Final = Counter("berbagi_messaging_relay_failures_total", "publications tried again", ["error"])
PARKED_ROWS: Final = Gauge("berbagi_messaging_parked_messages", "submissions that wait for something")
PARKED_OLDEST: Final = Gauge("berbagi_messaging_parked_oldest_seconds", "how long the oldest has waited")
PARKED_UNOPENED: Final = Counter(
    "berbagi_messaging_parked_unopened_total", "tries of parked submissions that the data key does not open"
)
JOB_SECONDS: Final = Histogram("berbagi_messaging_job_seconds", "one run", ["job"], buckets=_SECONDS)
JOB_LAST_SUCCESS: Final = Gauge(
    "berbagi_messaging_job_last_success_timestamp_seconds",
    "end of the last run that ended well, else the start of the process",
    ["job"],
)
JOB_FAILURES: Final = Counter("berbagi_messaging_job_failures_total", "runs that failed", ["job", "error"])
