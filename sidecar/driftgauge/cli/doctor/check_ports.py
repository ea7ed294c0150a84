"""Whether the ports are free, or used by the running process."""

import errno
import socket

from driftgauge.cli.doctor.finding import Finding, fail, ok
from driftgauge.cli.doctor.running_process import RunningProcess
from driftgauge.config.options import Config, ports_of


def check_ports(config: Config, process: RunningProcess | None) -> list[Finding]:
    """All ports: a port in use must be that of the running process."""
    own = dict(process.status.get("ports") or {}) if process is not None else {}
    if process is not None and not own:  # an older version
        own = {"port": config.port, "admin_port": config.admin_port}
    ports = ports_of(config)
    return [_check(name, config.host, number, is_own=own.get(name) == number) for name, number in ports.items()]


def _check(name: str, host: str, number: int, *, is_own: bool) -> Finding:
    fault = _bind_fault(host, number)
    if fault is None:
        if is_own:
            return fail(name, f"the running process should listen on {number}, but the port is free: restart it")
        return ok(name, f"{number} is free")
    if fault.errno == errno.EADDRINUSE and is_own:
        return ok(name, f"{number} is used by the running driftgauge")
    if fault.errno == errno.EADDRINUSE:
        return fail(name, f"{number} is used by another program: set {name}, or move the other program")
    return fail(name, f"{host}:{number} cannot be listened on ({fault.strerror or fault}): set host and {name}")


def _bind_fault(host: str, number: int) -> OSError | None:
    """Why a port cannot be listened on, with the options that the process's own sockets have; `None` if it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
            probe.listen(1)
    except (OSError, UnicodeError) as error:
        return error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error))
    return None
