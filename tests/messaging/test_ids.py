"""Ids made many at once are what `uuid4` would have made."""

from uuid import RFC_4122, UUID

from messaging import new_ids


def test_each_is_a_random_uuid_of_its_own() -> None:
    """Fails when: one is made twice, or version or variant are not set."""
    ids = new_ids(1_000)

    assert len(set(ids)) == 1_000
    assert {(UUID(str(one)).version, UUID(str(one)).variant) for one in ids} == {(4, RFC_4122)}
