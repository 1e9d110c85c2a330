from uuid import uuid4

from messaging.apply import apply, read_all
from messaging.messages import Answer
from messaging.reading import Record
from messaging.transaction import Context
from tests.messaging.running import placed
from tests.messaging.samples import household, visit


async def carry_out(context: Context, records: list[Record]) -> list[Answer]:
    return await apply(context, read_all(context, records))


async def test_smoke(context: Context) -> None:
    one = uuid4()

    answers = await carry_out(context, placed([household(one), visit(one), visit(uuid4())]))
    again = await carry_out(context, placed([household(one)]))

    assert answers == [Answer("accepted"), Answer("accepted"), Answer("parked")]
    assert again == [Answer("accepted")]
    assert await context.pool.fetchval("select version from toy_assignments") == 1
    assert await context.pool.fetchval("select count(*) from outbox") == 1
