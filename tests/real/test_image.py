"""The built image: its labels and configuration, and that it runs with no privileges on a read-only root."""

import json
from pathlib import Path

import pytest

from driftgauge import __version__
from tests.support import wine
from tests.support.exchange import Message, send
from tests.support.image import Container, Image, built_image
from tests.support.processes import free_port, get

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(120)]

USER = 65532


@pytest.fixture(scope="module")
def image() -> Image:
    """The image that `.ci/image` built."""
    return built_image()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What is mounted at /mnt: the reference, and a window of which every row is the same."""
    tmp_path.chmod(0o755)
    reference = wine.write_reference(tmp_path / "wine.csv")
    header, first, *_ = reference.read_text().splitlines()
    (tmp_path / "stuck.csv").write_text("\n".join([header, *[first] * 100]))
    return tmp_path


def test_the_image_says_what_kubernetes_asks(image: Image) -> None:
    """User by number, both ports, no shell around the entry point or the health check, its version on a label."""
    assert f"{USER}:{USER}" == image.config["User"]
    assert {"8080/tcp", "9464/tcp"} == set(image.config["ExposedPorts"])
    assert ["/opt/driftgauge/bin/driftgauge"] == image.config["Entrypoint"]
    assert ["CMD", "/opt/driftgauge/bin/driftgauge", "healthcheck"] == image.config["Healthcheck"]["Test"]
    assert __version__ == image.config["Labels"]["org.opencontainers.image.version"]


def test_the_image_has_no_pyarrow_and_says_so(image: Image, data: Path) -> None:
    """It was built without PARQUET=true: the label says so, and a reference in Parquet is refused with the reason."""
    (data / "wine.parquet").write_bytes(b"PAR1")
    done = image.run([*image.config["Entrypoint"], "check", "/mnt/wine.parquet", "/mnt/wine.csv"], data)

    assert "false" == image.config["Labels"]["io.driftgauge.parquet"]
    assert not list(image.packages.glob("pyarrow*"))
    assert (2, "/mnt/wine.parquet: to read Parquet, pip install 'driftgauge[parquet]'") == (
        done.returncode,
        done.stderr.strip(),
    )


def test_the_image_has_the_version_of_the_code(image: Image, data: Path) -> None:
    """`--version` inside the image is the version of this checkout."""
    done = image.run([*image.config["Entrypoint"], "--version"], data)

    assert (0, f"driftgauge {__version__}\n") == (done.returncode, done.stdout)


def test_the_image_helps_when_it_is_run_without_arguments(image: Image, data: Path) -> None:
    """The default command lists the modes and exits with 0."""
    done = image.run([*image.config["Entrypoint"], *image.config["Cmd"]], data)

    assert 0 == done.returncode
    assert "logger" in done.stdout


def test_the_image_checks_mounted_files(image: Image, data: Path) -> None:
    """`check` exits 0 on the reference against itself, and 1 on a window that is stuck at one row."""
    entry = image.config["Entrypoint"]
    same = image.run([*entry, "check", "/mnt/wine.csv", "/mnt/wine.csv", "--format", "json"], data)
    stuck = image.run([*entry, "check", "/mnt/wine.csv", "/mnt/stuck.csv"], data)

    assert 0 == same.returncode, same.stderr
    assert json.loads(same.stdout)
    assert 1 == stuck.returncode, stuck.stderr


def test_the_image_serves_on_a_read_only_root_as_its_user_and_ends_on_sigterm(image: Image, data: Path) -> None:
    """As process 1 with no right and no writable place: healthy, then 0 on SIGTERM, then unhealthy."""
    port, admin_port = free_port(), free_port()
    env = {"DRIFTGAUGE_PORT": str(port), "DRIFTGAUGE_ADMIN_PORT": str(admin_port)}
    arguments = ["logger", "--reference", "/mnt/wine.csv", "--drain-delay-seconds", "0"]
    probe = image.config["Healthcheck"]["Test"][1:]
    with Container(image, arguments, data, env) as container:
        container.await_response(f"http://127.0.0.1:{admin_port}/healthz")
        container.await_port(port)
        status = proc(container.main_pid, "status")
        root = next(line.split()[5] for line in mounts(container.main_pid) if line.split()[4] == "/")
        alive = image.run(probe, data, env)
        response = send(f"http://127.0.0.1:{port}", Message("/", method="GET"))
        page = get(f"http://127.0.0.1:{admin_port}/metrics")
        ended = container.terminate()
        dead = image.run(probe, data, env)

    assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}" in status
    assert "CapEff:\t0000000000000000" in status
    assert "ro" in root.split(",")
    assert (0, 200) == (alive.returncode, response.status), alive.stderr
    assert b"driftgauge_build_info" in page
    assert (0, 1) == (ended, dead.returncode)


def test_the_images_user_can_write_nothing_of_the_product(image: Image) -> None:
    """Every file below /opt is root's, and writable by root alone."""
    stats = [path.lstat() for path in image.packages.parents[2].rglob("*") if not path.is_symlink()]

    assert {(0, 0)} == {(one.st_uid, one.st_gid) for one in stats}
    assert not [one for one in stats if one.st_mode & 0o022]


def test_the_image_holds_compiled_modules_and_no_installer(image: Image) -> None:
    """Every module of the product has its bytecode, since none can be written later; there is no pip."""
    modules = list((image.packages / "driftgauge").rglob("*.py"))
    compiled = [path for path in modules if list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))]

    assert modules == compiled
    assert not list(image.packages.glob("pip*"))
    assert not (image.root / "src").exists()


def proc(pid: int, name: str) -> str:
    """A file that the kernel keeps on a process."""
    return Path(f"/proc/{pid}/{name}").read_text()


def mounts(pid: int) -> list[str]:
    """The mounts that a process sees, one line each (proc(5), mountinfo)."""
    return proc(pid, "mountinfo").splitlines()
