"""Every option, declared once; flags, environment, YAML file, README table and JSON Schema follow from it.

Source order, first wins: flags, environment (`DRIFTGAUGE_<NAME>`), the YAML file, defaults.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, cast
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, WithJsonSchema, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from driftgauge.drift.budget import Decision
from driftgauge.drift.statistics.correction import Correction

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

FORM = r"^\d+(\.\d+)?[smhdw]?$"
"""A number, perhaps with a unit: as a pattern for schemas too."""

_PARTS = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)")


def seconds(text: object) -> object:
    """The seconds of a duration that is written with a unit; anything else as it is.

    Raises:
        ValueError: It is text, but neither a number nor a number with a unit.
    """
    if not isinstance(text, str):
        return text
    found = _PARTS.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be a number of seconds, or a number with a unit: 30d, 12h, 45m")
    return float(found[1]) * UNITS[found[2]]


PREFIX = "DRIFTGAUGE_"

FALLBACKS = {"port": "PORT", "inference_service": "INFERENCE_SERVICE_NAME"}
"""Variables that the platform sets (Knative, KServe); read where the option's own variable is not set."""

_SERVICE_LINK = re.compile(r"driftgauge(_\w+)?_(service_(host|port\w*)|port_\d+_(tcp|udp|sctp)\w*)")
_SERVICE_LINK_PORT = re.compile(r"driftgauge(_\w+)?_port")
_SERVICE_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://")


def environment(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The environment without Kubernetes' service links, with the platform's fallbacks filled in.

    A Service named `driftgauge` puts `DRIFTGAUGE_PORT=tcp://10.0.0.1:80` and its like into every pod of its
    namespace, one named `driftgauge-logger` puts `DRIFTGAUGE_LOGGER_PORT=...`; they are not options.

    Source: https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
    """
    kept = {name.lower(): value for name, value in variables.items() if not _is_service_link(name.lower(), value)}
    for option, fallback in FALLBACKS.items():
        own = (PREFIX + option).lower()
        if kept.get(fallback.lower()) and not kept.get(own):
            kept[own] = kept[fallback.lower()]
    return kept


def _is_service_link(name: str, value: str | None) -> bool:
    if _SERVICE_LINK.fullmatch(name):
        return True
    return bool(_SERVICE_LINK_PORT.fullmatch(name) and _SERVICE_LINK_VALUE.match(value or ""))


Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
Duration = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=60, le=1e9, allow_inf_nan=False),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 60, "maximum": 1e9}, {"type": "string", "pattern": FORM}]}),
]
Rows = Annotated[int, Field(ge=1, le=10_000_000)]
Bytes = Annotated[int, Field(ge=1, le=2**40)]


class Config(BaseSettings):
    """The options that both modes have."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)
    yaml_path: ClassVar[Path | None] = None

    host: str = Field("0.0.0.0", description="address to listen on; `::` for IPv6")  # noqa: S104 a server in a pod
    port: Port = Field(8080, description="data port; `PORT` is read where this is not set")
    admin_port: Port = Field(9464, description="metrics, health and the newest report")
    reference: Path | None = Field(None, description="reference dataset: a CSV, Parquet or NPZ file")
    reference_dir: Path | None = Field(
        None,
        description="directory of `<namespace>/<inference_service>.<ext>`, else `<inference_service>.<ext>`",
    )
    reference_poll_seconds: Seconds = Field(10, description="how often the reference is looked at for a change")
    redis_url: SecretStr | None = Field(None, description="`redis://` or `rediss://`; in memory if not set")
    redis_password: SecretStr | None = Field(None, description="from environment or file only")
    redis_timeout_seconds: Seconds = Field(2, description="longest wait for one call to Redis")
    ring_ttl_seconds: Seconds = Field(604_800, description="a model's rows are forgotten after this time without any")
    window_rows: Rows = Field(2000, description="newest rows that are tested")
    min_rows: Rows = Field(200, description="no verdict under so many rows")
    evaluation_interval_seconds: Seconds = Field(30, description="time between two evaluations")
    decision: Decision = Field(
        Decision.BUDGET,
        description="what makes a verdict: the false-alarm budget, or the p-value against alpha",
    )
    false_alarm_interval: Duration = Field(
        cast("float", "30d"),  # validated like any value, and shown as it stands
        description="least mean time between two false alarms of a model: seconds, or `30d`, `12h`",
    )
    drift_tolerance: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="smallest distance worth waking someone: KS, or total variation of categories",
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="significance level over all features, if p-values decide")
    correction: Correction = Field(Correction.HOLM, description="for many features; `none` tests each at alpha")
    max_features: Rows = Field(200, description="features with series of their own, the farthest first; all are tested")
    baseline_rows: Rows = Field(
        2000,
        description="first rows of responses: they stand for predictions that a reference lacks; at most `window_rows`",
    )
    allow_capture: bool = Field(
        False,  # noqa: FBT003 the field's default
        description="the admin port hands out the rows of the window, for `driftgauge reference capture`",
    )
    drain_delay_seconds: float = Field(5, ge=0, le=3600, description="after SIGTERM: unready, yet serving, for so long")
    drain_timeout_seconds: Seconds = Field(20, description="then: limit to finish requests, and to flush")
    queue_payloads: Rows = Field(1024, description="payloads that may wait for the pipeline; beyond: dropped, counted")
    queue_bytes: Bytes = Field(64 * 2**20, description="their bytes, and the bytes of taps under way")
    max_payload_bytes: Bytes = Field(4 * 2**20, description="larger payloads are rejected and counted")
    flush_interval_seconds: Seconds = Field(0.5, description="rows wait so long for company before they go to the ring")
    sample_ratio: float = Field(1.0, ge=0, le=1, description="share of requests looked at, by hash of the id")
    max_models: int = Field(100, ge=0, le=100_000, description="models that get series of their own; beyond: `(other)`")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    @field_validator("reference_dir")
    @classmethod
    def _one_reference(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("reference") is not None:
            raise ValueError("give reference or reference_dir, not both")
        return value

    @field_validator("admin_port")
    @classmethod
    def _own_port(cls, value: int, info: ValidationInfo) -> int:
        if value and value == info.data.get("port"):
            raise ValueError("must differ from port: on the data port every path belongs to the model")
        return value

    @field_validator("min_rows")
    @classmethod
    def _fits_window(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("window_rows", value):
            raise ValueError("must not be more than window_rows, or no window would ever be tested")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            url = _split(value.get_secret_value())
            if url.scheme not in {"redis", "rediss"} or not url.hostname:
                raise ValueError("must be redis://host[:port][/db] or rediss://...")
        return value

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

    upstream_url: str = Field("http://127.0.0.1:8085", description="the model server")
    upstream_timeout_seconds: Seconds = Field(300, description="longest silence of the model server")
    inference_service: str = Field(
        "default",
        description="name of the InferenceService; `INFERENCE_SERVICE_NAME` is read where this is not set",
    )
    namespace: str = Field("", description="its namespace")
    component: Literal["predictor", "transformer", "explainer"] = Field("predictor", description="its component")
    merge_metrics: bool = Field(
        False,  # noqa: FBT003 the field's default
        description="GET `/metrics` on the data port shows the model server's metrics and ours; else its own alone",
    )

    @field_validator("upstream_url")
    @classmethod
    def _plain_http(cls, value: str) -> str:
        url = _split(value)
        if url.scheme in {"grpc", "grpcs"}:
            raise ValueError("gRPC is not carried; give the model server's HTTP port")
        if url.scheme not in {"http", "https"} or not url.hostname or url.path.strip("/") or url.query:
            raise ValueError("must be http://host:port without a path, since paths are kept as sent")
        return value.rstrip("/")


class LoggerConfig(Config):
    """The options of `driftgauge logger`."""

    pair_ttl_seconds: Seconds = Field(300, description="how long half of a pair waits for the other")
    max_event_bytes: Bytes = Field(16 * 2**20, description="larger events are answered 413")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise ValueError(f"is not a URL ({error})") from None
    return parts
