"""Certificates of a test authority, made with OpenSSL."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.parts import program

_NAMES = "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost"


@dataclass(frozen=True)
class Authority:
    """An authority in a directory.

    Args:
        directory: Where its files are, and those of the certificates that it signs.
    """

    directory: Path

    @classmethod
    def make(cls, directory: Path) -> "Authority":
        """Make a new one."""
        directory.mkdir(parents=True, exist_ok=True)
        authority = cls(directory)
        words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        _openssl(directory, *words, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
        return authority

    @property
    def file(self) -> Path:
        """Its certificate."""
        return self.directory / "ca.pem"

    def sign(self, name: str) -> tuple[Path, Path]:
        """Make a certificate for the loopback addresses; returns its file and that of its key."""
        words = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}"]
        _openssl(self.directory, *words, "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.directory / f"{name}.ext").write_text(_NAMES)
        words = ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        _openssl(self.directory, *words, "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        return self.directory / f"{name}.pem", self.directory / f"{name}.key"

    def client_context(self, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """A context of a client that trusts this authority alone, with a certificate of its own if given."""
        context = ssl.create_default_context(cafile=self.file)
        if certificate is not None:
            context.load_cert_chain(*certificate)
        return context


def _openssl(directory: Path, *words: str) -> None:
    subprocess.run([program("openssl"), *words], cwd=directory, check=True, capture_output=True)
