"""The declaration of every option. Flags, variables, YAML keys, docs/options.md and the JSON Schema follow it.

Order of the sources, of which the first wins: flags, environment (`DRIFTGAUGE_<NAME>`), the YAML file, defaults.
"""

import csv
import io
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar, cast
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, WithJsonSchema, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from driftgauge.drift.budget import SHARE_TOLERANCE, Decision
from driftgauge.drift.statistics.correction import Correction
from driftgauge.inference.payload import MAX_NAME_CHARS, OVERFLOW

PREFIX = "DRIFTGAUGE_"
"""Prefix of the variables of the options."""

FALLBACKS = {"port": "PORT", "inference_service": "INFERENCE_SERVICE_NAME", "revision": "K_REVISION"}
"""Variables of Knative and KServe, used if the variable of the option is not set."""

_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION_PATTERN = r"^\d+(\.\d+)?[smhdw]?$"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)")

_SERVICE_LINK = re.compile(r"driftgauge(_\w+)?_(service_(host|port\w*)|port_\d+_(tcp|udp|sctp)\w*)")
_SERVICE_LINK_PORT = re.compile(r"driftgauge(_\w+)?_port")
_SERVICE_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://")


def environment(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The environment without Kubernetes' service links, and with the variables of the platform as fallbacks.

    A Service named `driftgauge` adds variables like `DRIFTGAUGE_PORT=tcp://10.0.0.1:80` to every pod of its namespace,
    one named `driftgauge-logger` adds `DRIFTGAUGE_LOGGER_PORT=...`. These are not options.

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


def parse_duration(value: object) -> object:
    """Seconds of a text with or without a unit; other values unchanged, for the validation that follows.

    Raises:
        ValueError: The text is not a number, or a number with a unit.
    """
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise ValueError("must be a number of seconds, or a number with a unit: 30d, 12h, 45m")
    return float(found[1]) * _UNIT_SECONDS[found[2]]


def _join_words(value: object) -> object:
    """A list of words as one text with commas between them; other values unchanged, for the validation that follows.

    Raises:
        ValueError: An item of the list is no word.
    """
    if type(value) in (int, float):
        return str(value)
    if not isinstance(value, list):
        return value
    if not all(isinstance(word, str | int | float) and not isinstance(word, bool) for word in value):
        raise ValueError("must be words, with commas between them or as a list; write words such as null in quotes")
    line = io.StringIO()
    csv.writer(line, lineterminator="", quoting=csv.QUOTE_ALL).writerow([str(word) for word in value])
    return line.getvalue()


def _join_urls(value: object) -> object:
    """A list of URLs as one text with commas between them; other values unchanged, for the validation that follows.

    The list may be JSON, as the chart writes it into a variable.

    Raises:
        ValueError: An item of the list is no text, or holds a comma.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError):
            value = json.loads(value)
    if not isinstance(value, list):
        return value
    if not all(isinstance(url, str) and "," not in url for url in value):
        raise ValueError("must be URLs, with commas between them or as a list; write a comma in a URL as %2C")
    return ",".join(value)


NEEDS_REDIS = "needs redis_url, without which rows are kept in memory"
"""The rule of the options that say how a process introduces itself to Redis."""

_Login = TypeVar("_Login", str, SecretStr | None, Path | None)

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(ge=60, le=1e9, allow_inf_nan=False),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 60, "maximum": 1e9}, {"type": "string", "pattern": _DURATION_PATTERN}]}
    ),
]
Words = Annotated[
    str,
    BeforeValidator(_join_words),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number"]}}]}),
]
Urls = Annotated[
    SecretStr,
    BeforeValidator(_join_urls),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Rows = Annotated[int, Field(ge=1, le=10_000_000)]
Bytes = Annotated[int, Field(ge=1, le=2**40)]


class Config(BaseSettings):
    """The options of both modes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)
    yaml_path: ClassVar[Path | None] = None
    flags: ClassVar[Mapping[str, str]] = {}

    host: str = Field("0.0.0.0", description="address that both ports listen on; `::` for IPv6")  # noqa: S104 a server in a pod
    port: Port = Field(8080, description="data port; if not set, the variable `PORT` is used")
    admin_port: Port = Field(9464, description="port of metrics, health and the newest report")
    reference: Path | None = Field(None, description="file of the reference dataset: CSV, Parquet or NPZ")
    reference_dir: Path | None = Field(
        None,
        description="reference directory: `<namespace>/<inference_service>.<ext>`, else `<inference_service>.<ext>`",
    )
    reference_poll_seconds: Seconds = Field(
        10, description="seconds between two checks of reference files, tokens and certificates for changes"
    )
    missing_words: Words = Field(
        "",
        description="texts that are missing values in every column of references and requests, with commas between them"
        " or a list in YAML: `unknown,-999`; empty cells, null and NaN are always missing",
    )
    time_column: str = Field(
        "",
        description="column of reference files that holds the time of each row, which then is no feature: ISO 8601, or"
        " seconds or milliseconds since 1970; files of `driftgauge reference build` need no option",
    )
    reference_ordered: bool = Field(
        False,  # noqa: FBT003 the field's default
        description="whether the rows of reference files without times stand in the order of time",
    )
    rhythm_timezone: str = Field(
        "UTC", description="time zone of the hours of the day, for features with a daily rhythm: `Europe/Berlin`"
    )
    max_reference_bytes: int = Field(
        64 * 2**20, ge=1, le=256 * 2**20, description="limit of a reference file in bytes; larger ones are refused"
    )
    max_reference_values: int = Field(
        5_000_000,
        ge=1,
        le=2**25,
        description="limit of a reference's rows times columns; larger ones are refused",
    )
    admin_token_file: Path | None = Field(
        None,
        description="file with the bearer tokens that the admin port asks for, one a line, read again when it changes; "
        "`/healthz` and `/readyz` stay open",
    )
    admin_token: SecretStr | None = Field(
        None, description="bearer token that the admin port asks for; only from environment or file"
    )
    tls_cert_file: Path | None = Field(
        None, description="certificate chain of both ports in PEM form, read again when it changes; with `tls_key_file`"
    )
    tls_key_file: Path | None = Field(None, description="private key of `tls_cert_file` in PEM form, not encrypted")
    tls_client_ca_file: Path | None = Field(
        None,
        description="authorities in PEM form; clients of the data port need a certificate that one of them has signed",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="URL of Redis: `redis://host[:port][/db]`, `redis+sentinel://host,host/master` with hosts of the"
        " Sentinels, or `redis+cluster://host,host`; `rediss` in place of `redis` for TLS; if not set, rows are kept in"
        " memory",
    )
    redis_username: str = Field("", description="user of Redis (ACL); empty for that of `redis_url` or the default one")
    redis_password: SecretStr | None = Field(None, description="password of Redis; only from environment or file")
    redis_password_file: Path | None = Field(
        None, description="file with the password of Redis, which is read for each new connection"
    )
    redis_sentinel_username: str = Field("", description="user of the Sentinels; empty for the default user")
    redis_sentinel_password: SecretStr | None = Field(
        None, description="password of the Sentinels; only from environment or file"
    )
    redis_sentinel_password_file: Path | None = Field(
        None, description="file with the password of the Sentinels, which is read for each new connection"
    )
    redis_ca_file: Path | None = Field(
        None, description="file with the certificates that sign that of Redis; if not set, those of the system"
    )
    redis_cert_file: Path | None = Field(
        None, description="file with the certificate by which driftgauge introduces itself to Redis"
    )
    redis_key_file: Path | None = Field(
        None, description="file with the private key of `redis_cert_file`; if not set, it is in that file"
    )
    redis_max_connections: int = Field(
        8, ge=2, le=1000, description="limit of the connections of a process to Redis, or to each node of a cluster"
    )
    redis_client_name: str = Field(
        "driftgauge",
        pattern=r"^[!-~]*$",
        description="name of the connections in `CLIENT LIST`; empty to set none, which needs one right less",
    )
    redis_timeout_seconds: Seconds = Field(2, description="time limit of one call to Redis, in seconds")
    ring_ttl_seconds: Seconds = Field(
        604_800, description="seconds without new rows after which the rows of a model expire"
    )
    window_rows: Rows = Field(2000, description="size of the window: the newest rows, which are tested")
    min_rows: Rows = Field(200, description="rows that a window needs for a verdict")
    evaluation_interval_seconds: Seconds = Field(30, description="seconds between two evaluations")
    decision: Decision = Field(
        Decision.BUDGET,
        description="rule of a verdict: the false-alarm budget, or p-values compared with `alpha`",
    )
    false_alarm_interval: Duration = Field(
        cast("float", "30d"),  # text, so that documents show it with its unit; it is validated like any value
        description="mean time between two false alarms of a model, at least; seconds, or with a unit: `30d`, `12h`",
    )
    drift_tolerance: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="distance up to which drift raises no alarm: KS distance, or total variation of categories",
    )
    share_tolerance: float = Field(
        SHARE_TOLERANCE,
        ge=0,
        lt=1,
        description="share of values beyond the reference's range, of unknown categories, or of missing values where "
        "the reference hardly has any, up to which there is no alarm",
    )
    tolerance_beyond_reference: bool = Field(
        default=False,
        description="add the tolerances to the reference's own error; by default the larger of both counts",
    )
    alpha: float = Field(
        0.05, gt=0, lt=1, description="significance level over all features, used if `decision` is `p-value`"
    )
    correction: Correction = Field(
        Correction.HOLM, description="correction of p-values for many features; `none` tests each feature at `alpha`"
    )
    max_features: Rows = Field(
        200,
        description="features with metric series of their own, those that drifted most first; all features are tested",
    )
    baseline_rows: Rows = Field(
        2000,
        description="first rows of responses, which replace predictions that a reference lacks; at most `window_rows`",
    )
    allow_capture: bool = Field(
        False,  # noqa: FBT003 the field's default
        description="whether the admin port serves the rows of the window, for `driftgauge reference capture`",
    )
    drain_delay_seconds: float = Field(
        5, ge=0, le=3600, description="seconds after SIGTERM during which the process is unready but still serves"
    )
    drain_timeout_seconds: Seconds = Field(
        20, description="time limit for open requests to finish, and again for the queue to be flushed, in seconds"
    )
    max_connections: int = Field(
        16_384,
        ge=1,
        le=1_000_000,
        description="connections to the data port that may be open at once; others get status code 503 and are counted",
    )
    queue_payloads: Rows = Field(
        1024, description="limit of queued payloads; payloads beyond it are dropped and counted"
    )
    queue_bytes: Bytes = Field(
        64 * 2**20, description="limit of the bytes of queued payloads, and of bodies that are being copied"
    )
    queue_seconds: Seconds = Field(
        30,
        description="longest time in seconds that a payload is queued; payloads that are older are dropped and counted",
    )
    max_payload_bytes: Bytes = Field(
        4 * 2**20, description="limit of one decompressed payload in bytes; larger ones are rejected and counted"
    )
    flush_interval_seconds: Seconds = Field(
        0.5, description="longest time in seconds that payloads are batched before their rows are written"
    )
    sample_ratio: float = Field(
        1.0, ge=0, le=1, description="share of requests whose payloads are used, chosen by a hash of the id"
    )
    max_models: int = Field(
        100,
        ge=0,
        le=100_000,
        description="limit of models that have series of their own without a reference; others count as `(other)`",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level that is logged")
    log_format: Literal["text", "json"] = Field(
        "text", description="form of the log: lines of text, or one JSON object a line, with the ids of requests"
    )

    @field_validator("rhythm_timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (LookupError, ValueError, OSError):
            raise ValueError("is not the name of a time zone, such as UTC or Europe/Berlin") from None
        return value

    @field_validator("reference_dir")
    @classmethod
    def _check_one_reference(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("reference") is not None:
            raise ValueError("give reference or reference_dir, not both")
        return value

    @field_validator("admin_port")
    @classmethod
    def _check_own_port(cls, value: int, info: ValidationInfo) -> int:
        if value and value == info.data.get("port"):
            raise ValueError("must differ from port: on the data port every path belongs to the model")
        return value

    @field_validator("min_rows")
    @classmethod
    def _check_fits_window(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("window_rows", value):
            raise ValueError("must not be more than window_rows, or no window would ever be tested")
        return value

    @field_validator("tls_key_file")
    @classmethod
    def _check_key_with_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("tls_cert_file") is None):
            raise ValueError("give tls_cert_file and tls_key_file together")
        return value

    @field_validator("tls_client_ca_file")
    @classmethod
    def _check_authority_with_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("tls_cert_file") is None:
            raise ValueError("needs tls_cert_file and tls_key_file")
        return value

    @field_validator(
        "redis_username",
        "redis_password",
        "redis_password_file",
        "redis_sentinel_username",
        "redis_sentinel_password",
        "redis_sentinel_password_file",
        "redis_ca_file",
        "redis_cert_file",
        "redis_key_file",
    )
    @classmethod
    def _check_there_is_redis(cls, value: _Login, info: ValidationInfo) -> _Login:
        if value and info.data.get("redis_url", value) is None:
            raise ValueError(NEEDS_REDIS)
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            scheme, _, rest = value.get_secret_value().partition("://")
            base, _, kind = scheme.partition("+")
            authority = re.split("[/?#]", rest, maxsplit=1)[0]
            if "@" in rest and "@" not in authority:  # a password has one of these characters, and must not be shown
                raise ValueError("reserved characters (/ ? # @ :) of a user or password must be percent-encoded")
            hosts = authority.rpartition("@")[2].split(",")
            valid = base in {"redis", "rediss"} and kind in {"", "sentinel", "cluster"}
            if not valid or not all(_split_url(f"redis://{host}").hostname for host in hosts):
                raise ValueError("must be redis://host[:port][/db], redis+sentinel://... or redis+cluster://...")
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
        url = _split_url(value)
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
            url = _split_url(text)
            if url.scheme not in {"http", "https"} or not url.hostname or url.fragment or not text.isprintable():
                raise ValueError("must be http://host[:port][/path] or https://..., several with commas between them")
        if len(set(split_urls(value))) < len(split_urls(value)):
            raise ValueError("names a URL twice")
        return value


def split_urls(value: SecretStr | None) -> list[str]:
    """The URLs of an option that holds several."""
    text = "" if value is None else value.get_secret_value()
    return [url.strip() for url in text.split(",") if url.strip()]


def _split_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        # the text of the error may contain a part of the URL, and so of a password
        raise ValueError("is not a URL" if "@" in url else f"is not a URL ({error})") from None
    return parts
