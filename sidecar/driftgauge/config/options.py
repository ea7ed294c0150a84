"""All options, and those of each mode. Flags, variables, YAML keys, docs/options.md and the JSON Schema follow them.

Order of the sources, of which the first wins: flags, environment (`DRIFTGAUGE_<NAME>`), the YAML file, defaults.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from driftgauge.config.drift_options import DriftOptions
from driftgauge.config.environment import PREFIX, environment
from driftgauge.config.event_options import EventOptions
from driftgauge.config.label_options import LabelOptions
from driftgauge.config.option_types import Bytes, Rows, Seconds, Urls, split_url
from driftgauge.config.port_options import PortOptions, TlsOptions, TokenOptions
from driftgauge.config.redis_options import RedisOptions
from driftgauge.config.reference_options import ReferenceOptions
from driftgauge.config.serving_options import ServingOptions
from driftgauge.inference.payload import MAX_NAME_CHARS, OVERFLOW


class Config(
    ServingOptions,
    DriftOptions,
    RedisOptions,
    TlsOptions,
    EventOptions,
    LabelOptions,
    TokenOptions,
    ReferenceOptions,
    PortOptions,
    BaseSettings,
):
    """The options of both modes.

    Notes:
        The last base comes first in docs/options.md, as pydantic collects fields.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)
    yaml_path: ClassVar[Path | None] = None
    flags: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment as `environment` reads it, then the YAML file."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = environment(env_settings.env_vars)
        sources = (init_settings, env_settings)
        if cls.yaml_path is None:
            return sources
        return (*sources, YamlConfigSettingsSource(settings_cls, yaml_file=cls.yaml_path))


class ProxyConfig(Config):
    """The options of `driftgauge proxy`."""

    upstream_url: str = Field("http://127.0.0.1:8085", description="URL of the model server")
    upstream_timeout_seconds: Seconds = Field(
        300, description="seconds without a byte from the model server after which a request fails"
    )
    resend: Literal["auto", "never"] = Field(
        "auto",
        description="whether a request that meets the end of an idle connection to the model server is sent once more; "
        "`auto` stops for a minute when the second try fails too",
    )
    inference_service: str = Field(
        "default",
        description="name of the InferenceService; if not set, the variable `INFERENCE_SERVICE_NAME` is used",
    )
    namespace: str = Field("", description="namespace of the InferenceService")
    component: Literal["predictor", "transformer", "explainer"] = Field(
        "predictor", description="component of the InferenceService"
    )
    revision: str = Field(
        "",
        max_length=MAX_NAME_CHARS,
        description="revision of the model, a label of every series and a part of the keys in Redis; if not set, the "
        "variable `K_REVISION` is used. The pod label `app` may be given: `isvc.wine-predictor` is read as `stable`, "
        "`isvc.wine-v2-predictor` as `v2`",
    )
    merge_metrics: bool = Field(
        False,  # noqa: FBT003 the field's default
        description="whether GET `/metrics` on the data port adds driftgauge's metrics to those of the model server",
    )

    @field_validator("revision")
    @classmethod
    def _check_revision(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("must be text without control characters")
        if value == OVERFLOW.model_name:
            raise ValueError("must not be the name that stands for all other ones")
        return value

    @field_validator("upstream_url")
    @classmethod
    def _check_upstream_url(cls, value: str) -> str:
        url = split_url(value)
        if "@" in value:
            raise ValueError("must hold no user and no password: clients authenticate themselves to the model server")
        if url.scheme in {"grpc", "grpcs"}:
            raise ValueError("gRPC is not carried; give the model server's HTTP port")
        if url.scheme not in {"http", "https"} or not url.hostname or url.path.strip("/") or url.query:
            raise ValueError("must be http://host:port without a path, since paths are kept as sent")
        return value.rstrip("/")


class LoggerConfig(Config):
    """The options of `driftgauge logger`."""

    token_file: Path | None = Field(
        None,
        description="file with the bearer tokens that senders of events need, one a line, read again when it changes",
    )
    token: SecretStr | None = Field(
        None, description="bearer token that senders of events need; only from environment or file"
    )
    forward_url: Urls | None = Field(
        None,
        description="URLs that each event is sent on to, with commas between them or a list in YAML; a user, a "
        "password and a query in them are never shown",
    )
    forward_timeout_seconds: Seconds = Field(
        60, description="longest time in seconds that an event waits or is tried again for a URL of `forward_url`"
    )
    forward_queue_events: Rows = Field(
        10_000, description="limit of events that wait for one URL of `forward_url`; others are dropped and counted"
    )
    forward_queue_bytes: Bytes = Field(
        32 * 2**20, description="limit of the memory in bytes of events that wait for one URL of `forward_url`"
    )

    pair_ttl_seconds: Seconds = Field(
        300, description="seconds that a request or response waits for the other half of its pair"
    )
    max_event_bytes: Bytes = Field(
        6 * 2**20,
        description="limit of one event in bytes; larger ones get status code 413. It should be a third larger than "
        "`max_payload_bytes`, for events whose payload is in base64",
    )
    revision_annotation: str = Field(
        "driftgauge/revision",
        min_length=1,
        description="annotation of the pods that names their revision; `metadataAnnotations` of their logger must pass "
        "it on",
    )

    @field_validator("forward_url")
    @classmethod
    def _check_forward_url(cls, value: SecretStr | None) -> SecretStr | None:
        for text in split_urls(value):
            url = split_url(text)
            if url.scheme not in {"http", "https"} or not url.hostname or url.fragment or not text.isprintable():
                raise ValueError("must be http://host[:port][/path] or https://..., several with commas between them")
        if len(set(split_urls(value))) < len(split_urls(value)):
            raise ValueError("names a URL twice")
        return value


def ports_of(config: Config) -> dict[str, int]:
    """The ports that a process listens on, by the names of their options."""
    ports = {"port": config.port, "admin_port": config.admin_port}
    return ports | {"labels_port": config.labels_port} if config.labels_port else ports


def tolerance_of_performance(config: Config) -> float:
    """The tolerance of outcomes: that of distances, where none is set."""
    return config.drift_tolerance if config.performance_tolerance is None else config.performance_tolerance


def split_urls(value: SecretStr | None) -> list[str]:
    """The URLs of an option that holds several."""
    text = "" if value is None else value.get_secret_value()
    return [url.strip() for url in text.split(",") if url.strip()]
