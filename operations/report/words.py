"""Every word of the report in one place: `en.toml`; another language is another file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

LANGUAGE = "en"


class Words(BaseModel):
    """One language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    codes: Mapping[str, str]
    sentences: Mapping[str, str]

    def say(self, code: str) -> str:
        """Codes are open: an unknown one is said as it is."""
        return self.codes.get(code, code.replace("_", " "))


def load(language: str = LANGUAGE) -> Words:
    """The words of a language."""
    return Words.model_validate(tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text("utf-8")))
