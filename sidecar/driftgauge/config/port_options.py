"""The options of the ports, their tokens and their certificates."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from driftgauge.config.option_types import Port


class PortOptions(BaseModel):
    """The ports that a process listens on."""

    host: str = Field("0.0.0.0", description="address that all ports listen on; `::` for IPv6")  # noqa: S104 a server in a pod
    port: Port = Field(8080, description="data port; if not set, the variable `PORT` is used")
    admin_port: Port = Field(9464, description="port of metrics, health and the newest report")
    labels_port: Port = Field(
        0, description="port that labels of predictions are posted to; 0 takes none, and keeps no responses for them"
    )

    @field_validator("admin_port")
    @classmethod
    def _check_own_port(cls, value: int, info: ValidationInfo) -> int:
        if value and value == info.data.get("port"):
            raise ValueError("must differ from port: on the data port every path belongs to the model")
        return value

    @field_validator("labels_port")
    @classmethod
    def _check_third_port(cls, value: int, info: ValidationInfo) -> int:
        if value and value in (info.data.get("port"), info.data.get("admin_port")):
            raise ValueError("must differ from port and admin_port: who may scrape must not be able to post labels")
        return value


class TokenOptions(BaseModel):
    """The bearer tokens of the admin port and of the labels port."""

    admin_token_file: Path | None = Field(
        None,
        description="file with the bearer tokens that the admin port asks for, one a line, read again when it changes; "
        "`/healthz` and `/readyz` stay open",
    )
    admin_token: SecretStr | None = Field(
        None, description="bearer token that the admin port asks for; only from environment or file"
    )
    labels_token_file: Path | None = Field(
        None,
        description="file with the bearer tokens that the labels port asks for, one a line, read again when it changes",
    )
    labels_token: SecretStr | None = Field(
        None, description="bearer token that the labels port asks for; only from environment or file"
    )


class TlsOptions(BaseModel):
    """The certificates of the ports."""

    tls_cert_file: Path | None = Field(
        None, description="certificate chain of all ports in PEM form, read again when it changes; with `tls_key_file`"
    )
    tls_key_file: Path | None = Field(None, description="private key of `tls_cert_file` in PEM form, not encrypted")
    tls_client_ca_file: Path | None = Field(
        None,
        description="authorities in PEM form; clients of the data port need a certificate that one of them has signed",
    )

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
