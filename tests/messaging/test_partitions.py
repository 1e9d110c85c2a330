"""Facts and submissions go where every other Kafka client would send them, or a key's order would be lost."""

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from messaging.partitions import partition_of


@given(st.text(max_size=200), st.sampled_from([1, 3, 12]))
def test_a_key_has_the_partition_that_other_clients_give_it(key: str, partitions: int) -> None:
    """Whole words and a rest of one to three bytes. Fails when: the rest is left out, or the sign is not masked."""
    assert partition_of(key, partitions) == (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
