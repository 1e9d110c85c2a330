"""The settings of a service: read from the environment once, here, with the prefix `BERBAGI_`."""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    TypeAdapter,
    UrlConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import MultiHostUrl

from messaging.errors import SettingsError

PREFIX = "BERBAGI_"
_KEY_BYTES = 32
_POSTGRESQL_URL: Final = TypeAdapter(
    Annotated[MultiHostUrl, UrlConstraints(allowed_schemes=["postgresql", "postgres"], host_required=True)]
)
_SSL_MODES: Final = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


def _aes_key(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(key) != _KEY_BYTES:
        raise ValueError("not 32 bytes")
    return value


def _postgresql_url(value: SecretStr) -> SecretStr:
    """asyncpg would say so at every try to connect only, which looks like a database that is away."""
    text = value.get_secret_value()
    try:
        _POSTGRESQL_URL.validate_python(text)
        options = parse_qs(urlsplit(text).query, strict_parsing="?" in text)
    except ValueError:
        raise ValueError("not postgresql://user:password@host:port/database") from None
    if not _SSL_MODES.issuperset(options.get("sslmode", ())):
        raise ValueError("its sslmode is none that PostgreSQL knows")
    return value


class KafkaSettings(BaseModel):
    """How to reach Kafka, and which topics on it are ours."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    kafka: str = Field(description="bootstrap servers of Kafka, `host:port,host:port`", min_length=1)
    kafka_user: str | None = Field(default=None, description="SASL/SCRAM-SHA-512 user; none: no authentication")
    kafka_password: SecretStr | None = Field(default=None, description="password of that user", validate_default=True)
    kafka_ca: FilePath | None = Field(default=None, description="CA file of the brokers; none: no TLS")
    topic_prefix: str = Field(
        default="", description="put before every topic and consumer group of a cell", max_length=64
    )

    @field_validator("kafka_password")
    @classmethod
    def _comes_with_a_user(cls, password: SecretStr | None, given: ValidationInfo) -> SecretStr | None:
        """Half of a login would connect without any."""
        if (password is None) != (given.data.get("kafka_user") is None):
            raise ValueError("user and password come together")
        return password


class Settings(KafkaSettings):
    """What a service must be told. No default where a wrong guess would hurt."""

    database_url: Annotated[SecretStr, AfterValidator(_postgresql_url)] = Field(
        description="PostgreSQL URL of this service's own database"
    )
    data_key: Annotated[SecretStr, AfterValidator(_aes_key)] = Field(
        description="32 bytes in base64: encrypts what is kept and not shown: parked, quarantined, the vault"
    )
    jwks: str = Field(description="public keys of the tokens' issuer: path or URL of a JWKS", min_length=1)
    token_issuer: str = Field(description="`iss` every token must have", min_length=1)
    token_audience: str = Field(default="berbagi", description="`aud` every token must have")
    host: str = Field(default="127.0.0.1", description="address HTTP listens on")
    port: int = Field(description="port HTTP listens on", ge=1, le=65535)
    replica: str | None = Field(
        default=None,
        description="stable, unique name of this replica: makes it a static member of its consumer group",
    )
    messages_file: Path | None = Field(
        default=None, description="where messages for people are appended, a JSON line each; none: standard output"
    )
    development: bool = Field(default=False, description="lets the programme clock be moved; never in production")
    failpoints: str = Field(
        default="", description="tests only: `name:probability,...`, where the process kills itself"
    )


SettingsT = TypeVar("SettingsT", bound=KafkaSettings)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings, or SettingsError with one sentence that names every wrong one and quotes none."""
    return _read(Settings, environment)


def read_kafka_settings(environment: Mapping[str, str] = os.environ) -> KafkaSettings:
    """The same for who needs Kafka only."""
    return _read(KafkaSettings, environment)


def _read(kind: type[SettingsT], environment: Mapping[str, str]) -> SettingsT:
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    try:
        return kind.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    wrong = [
        f"{PREFIX}{str(problem['loc'][0]).upper()} ({_wish(str(problem['loc'][0]))}): {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False)
    ]
    return "These settings are missing or wrong: " + "; ".join(wrong) + "."


def _wish(name: str) -> str:
    return Settings.model_fields[name].description or name
