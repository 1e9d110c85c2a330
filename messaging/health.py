"""What a service waits for, and whether its process is still worth keeping."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Health:
    """Shared by whatever runs in one process."""

    waiting: dict[str, str] = field(default_factory=dict)
    """By what is away (`postgresql`, `migrations`, `jobs`, `kafka`, `partitions`, `breaker`), a sentence."""
    fatal: str | None = None
    """Why only a restart helps."""
    exit_code: int = 0

    def wait(self, what: str, sentence: str) -> None:
        """Not ready, for this reason."""
        self.waiting[what] = sentence

    def found(self, what: str) -> None:
        """No longer waited for."""
        self.waiting.pop(what, None)
