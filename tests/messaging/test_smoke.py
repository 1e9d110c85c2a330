from uuid import uuid4

from tests.messaging.running import Toy, until
from tests.messaging.samples import household


async def test_whole(service: Toy) -> None:
    await service.start()
    await service.send([household(uuid4()) for _ in range(100)])
    await until(service, 100, "select count(*) from toy_assignments")
    await until(service, 0, "select count(*) from outbox")
    assert len(await service.read("assignment-events")) == 100
    service.processes[0].kill(15)
    assert await service.processes[0].ended() == 0
