"""The built image: its labels and configuration, and that it runs without any privilege."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge import __version__
from tests.support import wine
from tests.support.exchange import Message, send
from tests.support.image import Container, Image, built_image
from tests.support.ports import free_port
from tests.support.processes import get

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(120)]

USER = 65532


@pytest.fixture(scope="module")
def image() -> Image:
    """The image that `.ci/image` built without pyarrow, as is the default."""
    return built_image()


@pytest.fixture(scope="module")
def parquet_image() -> Image:
    """The image that `.ci/image` built with `PARQUET=true`."""
    return built_image("image-parquet")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder mounted at /mnt: the reference as CSV and as Parquet, and a window of which every row is the same."""
    tmp_path.chmod(0o755)
    reference = wine.write_reference(tmp_path / "wine.csv")
    header, first, *_ = reference.read_text().splitlines()
    columns = dict(zip(wine.FEATURES, wine.ROWS.T, strict=True))
    pq.write_table(pa.table(columns), tmp_path / "wine.parquet")
    (tmp_path / "stuck.csv").write_text("\n".join([header, *[first] * 100]))
    return tmp_path


def test_the_image_configures_what_kubernetes_reads(image: Image) -> None:
    """User by number, both ports, no shell around the entry point or the health check, its version as a label."""
    assert f"{USER}:{USER}" == image.config["User"]
    assert {"8080/tcp", "9464/tcp"} == set(image.config["ExposedPorts"])
    assert ["/opt/driftgauge/bin/driftgauge"] == image.config["Entrypoint"]
    assert ["CMD", "timeout", "2", "driftgauge-healthcheck"] == image.config["Healthcheck"]["Test"]
    assert __version__ == image.config["Labels"]["org.opencontainers.image.version"]


def test_the_image_has_the_compiled_data_plane_and_no_compiler(image: Image, data: Path) -> None:
    """What handles every request is imported from shared objects; what made them is not in the image."""
    python = "/opt/driftgauge/bin/python"
    done = image.run([python, "-c", "from driftgauge.build_kind import build_kind; print(build_kind())"], data)

    assert (0, "compiled\n") == (done.returncode, done.stdout)
    assert not (image.root / "usr/bin/gcc").exists()
    assert not list(image.packages.glob("mypy*"))


def test_the_image_prints_its_version(image: Image, data: Path) -> None:
    """`--version` inside the image is the version of this checkout."""
    done = image.run([*image.config["Entrypoint"], "--version"], data)

    assert (0, f"driftgauge {__version__}\n") == (done.returncode, done.stdout)


def test_the_image_without_arguments_prints_the_help(image: Image, data: Path) -> None:
    """The default command lists the modes and exits with 0."""
    done = image.run([*image.config["Entrypoint"], *image.config["Cmd"]], data)

    assert 0 == done.returncode
    assert "logger" in done.stdout


def test_the_image_checks_mounted_files(image: Image, data: Path) -> None:
    """`check` exits 0 for the reference against itself, and 1 for a window that is stuck at one row."""
    entry = image.config["Entrypoint"]
    same = image.run([*entry, "check", "/mnt/wine.csv", "/mnt/wine.csv", "--format", "json"], data)
    stuck = image.run([*entry, "check", "/mnt/wine.csv", "/mnt/stuck.csv"], data)

    assert 0 == same.returncode, same.stderr
    assert json.loads(same.stdout)
    assert 1 == stuck.returncode, stuck.stderr


def test_the_default_image_refuses_parquet_and_names_the_build_argument(image: Image, data: Path) -> None:
    """Its label says that it has no pyarrow, and `check` of a Parquet file exits with 2 and says how to get it."""
    argv = [*image.config["Entrypoint"], "check", "/mnt/wine.parquet", "/mnt/wine.csv"]
    done = image.run(argv, data)

    assert "false" == image.config["Labels"]["io.driftgauge.parquet"]
    assert not list(image.packages.glob("pyarrow*"))
    assert 2 == done.returncode
    assert "--build-arg PARQUET=true" in done.stderr


def test_an_image_built_with_parquet_reads_it(parquet_image: Image, data: Path) -> None:
    """Its label says that it has pyarrow, and `check` reads a Parquet file like the same rows in CSV."""
    argv = [*parquet_image.config["Entrypoint"], "check", "/mnt/wine.parquet", "/mnt/wine.csv"]
    done = parquet_image.run(argv, data)

    assert "true" == parquet_image.config["Labels"]["io.driftgauge.parquet"]
    assert 0 == done.returncode, done.stderr


def test_both_images_have_the_same_packages_except_pyarrow(image: Image, parquet_image: Image) -> None:
    """requirements/parquet.lock is requirements/runtime.lock with pyarrow."""
    without, with_parquet = ({path.name for path in one.packages.glob("*.dist-info")} for one in (image, parquet_image))

    assert set() == without - with_parquet
    assert ["pyarrow"] == [name.partition("-")[0] for name in with_parquet - without]


def test_the_image_serves_on_a_read_only_root_without_privileges_and_ends_on_sigterm(image: Image, data: Path) -> None:
    """As process 1 without capabilities or a writable folder: healthy, then 0 on SIGTERM, then unhealthy."""
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


def test_the_health_check_of_the_image_starts_no_python(image: Image, data: Path) -> None:
    """A script of bash: without a listener, exit code 1 and a sentence for `docker inspect`."""
    probe = image.config["Healthcheck"]["Test"][1:]
    script = (image.root / "opt/driftgauge/bin/driftgauge-healthcheck").read_text()
    refused = image.run(probe, data, {"DRIFTGAUGE_ADMIN_PORT": str(free_port())})

    assert script.startswith("#!/bin/bash\n")
    assert (1, "") == (refused.returncode, refused.stderr)
    assert "no connection" in refused.stdout


def test_the_images_user_can_write_no_file_of_the_product(image: Image) -> None:
    """Every file below /opt belongs to root, and only root can write it."""
    stats = [path.lstat() for path in image.packages.parents[2].rglob("*") if not path.is_symlink()]

    assert {(0, 0)} == {(one.st_uid, one.st_gid) for one in stats}
    assert not [one for one in stats if one.st_mode & 0o022]


def test_the_image_contains_compiled_modules_and_no_installer(image: Image) -> None:
    """Every module of the product has its bytecode, since none can be written later; there is no pip."""
    modules = list((image.packages / "driftgauge").rglob("*.py"))
    compiled = [path for path in modules if list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))]

    assert modules == compiled
    assert not list(image.packages.glob("pip*"))
    assert not (image.root / "src").exists()


def proc(pid: int, name: str) -> str:
    """The text of a file about a process in /proc."""
    return Path(f"/proc/{pid}/{name}").read_text()


def mounts(pid: int) -> list[str]:
    """The mounts of a process, one line each (proc(5), mountinfo)."""
    return proc(pid, "mountinfo").splitlines()
