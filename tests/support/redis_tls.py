"""A real redis-server that speaks TLS only and wants a certificate of its clients."""

import subprocess
from pathlib import Path

from tests.support.parts import program
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


class RedisCertificates:
    """An authority, and the certificates that it signs, as files of one directory.

    Args:
        directory: An empty directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._openssl("req", "-x509", *_CURVE, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
        (directory / "san").write_text("subjectAltName=IP:127.0.0.1")

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority."""
        return self.directory / "ca.pem"

    def sign(self, name: str) -> tuple[Path, Path]:
        """Make a certificate for 127.0.0.1, and return its file and that of its key."""
        self._openssl("req", *_CURVE, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san", "-days", "2")
        self._openssl("x509", "-req", "-in", f"{name}.csr", *sign, "-out", f"{name}.pem")
        return self.directory / f"{name}.pem", self.directory / f"{name}.key"

    def _openssl(self, *words: str) -> None:
        subprocess.run([program("openssl"), *words], cwd=self.directory, check=True, capture_output=True)


def tls_options(certificates: RedisCertificates, port: int) -> tuple[str, ...]:
    """The options of a server with TLS on a port, which demands certificates of the same authority."""
    certificate, key = certificates.sign("redis")
    return (
        *("--tls-port", str(port), "--tls-auth-clients", "yes", "--tls-ca-cert-file", str(certificates.ca_file)),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
    )


def tls_server(certificates: RedisCertificates) -> tuple[RedisServer, int]:
    """A server that is not started yet, and its port with TLS; the one without is open too."""
    program("redis-server")  # that of the demo knows no TLS
    port = free_port()
    return RedisServer(*tls_options(certificates, port)), port
