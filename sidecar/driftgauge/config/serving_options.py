"""The options of serving: capture, the end, limits of clients and of the queue, and the log."""

from typing import Literal

from pydantic import BaseModel, Field

from driftgauge.config.option_types import Bytes, Rows, Seconds, Words


class ServingOptions(BaseModel):
    """What is served and queued, the limits of both, and the log."""

    allow_capture: bool = Field(
        False,  # noqa: FBT003 the field's default
        description="whether the admin port serves rows, for `driftgauge reference capture` and `driftgauge export`",
    )
    export_columns: Words = Field(
        "*",
        description="columns that the admin port may serve with `allow_capture`: patterns such as "
        "`alcohol,prediction:*,label:*`, with commas between them or as a list",
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
        4096, description="limit of queued payloads; payloads beyond it are dropped and counted"
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
        1.0,
        ge=0,
        le=1,
        description="share of requests whose payloads are used, chosen by a hash of the id; it is lowered when more "
        "come than can be read",
    )
    max_rows_per_second: Rows = Field(
        12_000,
        description="rows of one model that are read in a second, of requests and of responses each; if more come, the "
        "sample ratio is lowered",
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
