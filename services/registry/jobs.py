"""Work on a clock: the registry has none, it decides everything as it is told."""

from typing import Final

from messaging import Job

JOBS: Final[tuple[Job, ...]] = ()
