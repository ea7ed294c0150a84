"""The options of events on changes of verdicts."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

from driftgauge.config.event_overrides import read_overrides
from driftgauge.config.option_types import split_url


class EventOptions(BaseModel):
    """Where events on changes go, how many, and what they have in addition."""

    event_url: SecretStr | None = Field(
        None,
        description="URL that gets a CloudEvent on each change of a verdict; a user, a password and a query in it are "
        "never shown; if not set, the variable `K_SINK` is used, which a SinkBinding of Knative sets",
    )
    event_cooldown_seconds: float = Field(
        60,
        ge=0,
        le=10_000_000,
        allow_inf_nan=False,
        description="least time in seconds between two events on the same verdict; changes meanwhile are merged into "
        "the newest",
    )
    event_token_file: Path | None = Field(
        None, description="file with the bearer token that is sent to `event_url`, read again when it changes"
    )
    event_ca_file: Path | None = Field(
        None,
        description="file with the certificates in PEM form that sign that of `event_url`, read when the process "
        "starts; if not set, those of `event_ca`",
    )
    event_ca: str = Field(
        "",
        description="certificates in PEM form that sign that of `event_url`; if not set, the variable `K_CA_CERTS` is "
        "used; if there is none, those of the system",
    )
    event_overrides: str = Field(
        "",
        description='extensions of all events, as Knative writes them: `{"extensions": {"team": "wine"}}`; if not set, '
        "the variable `K_CE_OVERRIDES` is used",
    )
    event_report_url: str = Field(
        "", description="URL at which people reach the admin port, for the links of events; without it they are paths"
    )
    event_board_url: str = Field("", description="URL of a dashboard, which events link to")

    @field_validator("event_url")
    @classmethod
    def _check_event_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_http(value.get_secret_value())
        return value

    @field_validator("event_report_url", "event_board_url")
    @classmethod
    def _check_link(cls, value: str) -> str:
        if value:
            _check_http(value)
        return value

    @field_validator("event_overrides")
    @classmethod
    def _check_overrides(cls, value: str) -> str:
        read_overrides(value)
        return value


def _check_http(text: str) -> None:
    """Check that a text is the URL of something in HTTP.

    Raises:
        ValueError: It is not.
    """
    url = split_url(text)
    if url.scheme not in {"http", "https"} or not url.hostname or url.fragment or not text.isprintable():
        raise ValueError("must be http://host[:port][/path] or https://...")
