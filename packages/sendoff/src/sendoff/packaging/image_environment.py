"""Locked packages as files of an image: a virtual environment made by uv, as it has to be at its place there."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from ..containers.engine import Engine
from ..containers.runs import run
from ..environments import uv
from ..environments.indexes import Indexes
from ..errors import EnvironmentFailed
from ..spec.parse import Spec
from .base_image import BaseImage
from .image_layers import MTIME, Entries, Entry, tree
from .image_python import ImagePython, compile_tree, host_glibc, newer_than

Progress = Callable[[str], None]

FRONT = "opt/sendoff/front"
ENVIRONMENT = "opt/sendoff/environment"
FRONT_LOCK = Path(__file__).with_name("front.lock")
_NOT_NEEDED = re.compile(r"(activate.*|deactivate.*|pydoc\.bat)\Z")


class Install(Spec):
    """A virtual environment to be: where it will be, with which Python, and what is installed.

    ``local`` is an interpreter of the same minor version on this machine; None where there is none.
    """

    at: str
    python: ImagePython
    local: str | None
    requirements: str
    server: bool = False
    """Whether the scoring server goes along."""


class Builder:
    """Makes virtual environments for images.

    Args:
        base: The image that they will run in.
        indexes: Where packages come from.
        environ: As ``os.environ``.
        client: The engine, for packages that have to be built inside the base image.
        progress: Receives plain lines.
    """

    def __init__(
        self,
        base: BaseImage,
        *,
        indexes: Indexes,
        environ: Mapping[str, str],
        client: Engine | None,
        progress: Progress,
    ) -> None:
        self._base, self._indexes, self._environ = base, indexes, environ
        self._client, self._progress = client, progress

    def entries(self, install: Install, staging: Path) -> Entries:
        """Install, compile, and list the files as they have to lie in the image.

        Args:
            install: What to make.
            staging: An empty folder.

        Raises:
            EnvironmentFailed: A package cannot be fetched or built.
        """
        folder = staging / "environment"
        foreign = install.local is None or newer_than(host_glibc(), self._base.glibc)
        if foreign and not install.python.copied:
            self._inside(install, folder)
        else:
            self._here(install, folder)
        return placed(folder, install)

    def _here(self, install: Install, folder: Path) -> None:
        make_environment(install, folder, indexes=self._indexes, environ=self._environ, progress=self._progress)
        _add_server(install, folder)
        assert install.local is not None
        compile_tree(install.local, folder / "lib", f"/{install.at}/lib")

    def _inside(self, install: Install, folder: Path) -> None:
        """In a container of the base image: this machine has no such Python, or a newer C library."""
        self._progress(f"installing inside {self._base.reference}")
        if self._client is None:
            raise EnvironmentFailed(
                f"packages for Python {install.python.minor} cannot be made on this machine for {self._base.reference}",
                hint="A Docker engine could make them inside the image: start one.",
            )
        folder.mkdir(parents=True)
        _add_server(install, folder)
        work = folder.parent / "work"
        (work / "cache").mkdir(parents=True)
        (work / "requirements.txt").write_text(install.requirements, encoding="utf-8")
        config = work / "uv.toml"
        config.touch(mode=0o600)
        config.write_text(uv.configuration(self._indexes), encoding="utf-8")
        shutil.copy(Path(__file__).with_name("compile_files.py"), work / "compile_files.py")
        at = f"/{install.at}"
        script = f"""set -e
uv="/sendoff/uv --config-file /sendoff/work/uv.toml --no-progress --color never"
cd /sendoff/work
$uv venv --quiet --no-project --no-python-downloads --relocatable --allow-existing --python {install.python.path} {at}
if [ -s requirements.txt ]; then
  $uv pip install --quiet --require-hashes --no-deps --requirements requirements.txt --python {at}/bin/python
fi
{install.python.path} -s -S compile_files.py {at}/lib {at}/lib {MTIME}
"""
        folders = {at: folder, "/sendoff/work": work}
        given = {"/sendoff/uv": Path(uv.binary())}
        variables = {"UV_CACHE_DIR": "/sendoff/work/cache", "HOME": "/sendoff/work", "UV_LINK_MODE": "copy"}
        for name, value in build_variables(self._indexes, self._environ).items():
            variables[name] = value
        if self._indexes.cert:
            given["/sendoff/ca.pem"] = Path(self._indexes.cert).expanduser().resolve()
            variables["SSL_CERT_FILE"] = "/sendoff/ca.pem"
        for place in self._indexes.find_links:
            path = Path(place.removeprefix("file://")).expanduser()
            if path.is_dir():
                given[str(path)] = path
        self._run(script, folders, given, variables)
        shutil.rmtree(work, ignore_errors=True)

    def _run(self, script: str, folders: dict[str, Path], given: dict[str, Path], variables: dict[str, str]) -> None:
        assert self._client is not None
        body = {
            "Image": self._base.id,
            "Entrypoint": ["/bin/sh"],
            "Cmd": ["-c", script],
            "User": f"{os.getuid()}:{os.getgid()}",
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "HostConfig": {"NetworkMode": "host"},
        }
        status, said = run(self._client, body, folders=folders, given=given, seconds=3600.0)
        lines = self._indexes.conceal(said.decode("utf-8", "replace")).splitlines()
        if status:
            first = next((line for line in lines if line.strip()), "no output")
            raise EnvironmentFailed(
                f"installing inside {self._base.reference} failed: {first}",
                hint="See the log; a compiler may be missing in the base image.",
                log=lines[-20:],
            )


def make_environment(
    install: Install, folder: Path, *, indexes: Indexes, environ: Mapping[str, str], progress: Progress
) -> None:
    """Install locked packages into a virtual environment on this machine, with this machine's interpreter.

    Args:
        install: What to make; ``local`` is set.
        folder: Where, on this machine.
        indexes: Where packages come from.
        environ: As ``os.environ``.
        progress: Receives plain lines.

    Raises:
        EnvironmentFailed: A package cannot be fetched or built.
    """
    assert install.local is not None

    def run(arguments: list[str], waits_for: str) -> None:
        uv.run(arguments, indexes=indexes, environ=environ, waits_for=waits_for, progress=progress)

    arguments = ["venv", "--quiet", "--no-project", "--no-python-downloads", "--relocatable"]
    run([*arguments, "--python", install.local, str(folder)], "making the image's environment")
    if not install.requirements:
        return
    count = uv.packages(len(re.findall(r"^[A-Za-z0-9]", install.requirements, re.MULTILINE)))
    progress(f"installing {count} for the image")
    listed = folder.parent / "requirements.txt"
    listed.write_text(install.requirements, encoding="utf-8")
    arguments = ["pip", "install", "--quiet", "--require-hashes", "--no-deps", "--requirements", str(listed)]
    run([*arguments, "--python", str(folder / "bin" / "python")], f"installing {count} for the image")


def placed(folder: Path, install: Install) -> Entries:
    """A virtual environment's files as they have to lie in the image: its own interpreter, no paths of this machine."""
    found = tree(folder, install.at, skip=("pyvenv.cfg", ".lock", ".gitignore", "CACHEDIR.TAG", ".sendoff"))
    for path in [path for path in found if path.startswith(f"{install.at}/bin/")]:
        if _NOT_NEEDED.match(path.rpartition("/")[2]) or re.search(r"/python[\d.]*\Z", path):
            del found[path]
    for path in [path for path in found if path.endswith((".dist-info/uv_cache.json", ".dist-info/direct_url.json"))]:
        # Where and when a local wheel was read: this machine's business, and different from build to build.
        folder_name, _, name = path.rpartition("/")
        record = found.get(f"{folder_name}/RECORD")
        del found[path]
        if record is not None:
            lines = record.data.splitlines(True) if record.data is not None else _lines(record)
            kept = [line for line in lines if f"/{name},".encode() not in line]
            found[f"{folder_name}/RECORD"] = Entry(data=b"".join(kept))
    bin_folder = f"{install.at}/bin"
    found[f"{bin_folder}/python"] = Entry(link=install.python.path)
    found[f"{bin_folder}/python3"] = Entry(link="python")
    found[f"{bin_folder}/python{install.python.minor}"] = Entry(link="python")
    home = install.python.path.rpartition("/")[0]
    config = f"home = {home}\ninclude-system-site-packages = false\nversion = {install.python.version}\n"
    found[f"{install.at}/pyvenv.cfg"] = Entry(data=config.encode())
    return found


def _lines(entry: Entry) -> list[bytes]:
    return Path(str(entry.source)).read_bytes().splitlines(keepends=True)


def build_variables(indexes: Indexes, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables of the way to the network that every build gets, and no image keeps: the proxy's."""
    found = {
        name: environ[name]
        for plain in ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
        for name in (plain, plain.upper())
        if environ.get(name)
    }
    if indexes.proxy:
        proxy = indexes.proxy if "://" in indexes.proxy else f"http://{indexes.proxy}"
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            found[name] = found[name.upper()] = proxy
    return found


def server_folder() -> Path:
    """Where the scoring server's package lies on this machine.

    Raises:
        EnvironmentFailed: It is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("sendoff_serving")
    if spec is None or not spec.submodule_search_locations:
        raise EnvironmentFailed("sendoff-serving is not installed here", hint="Run: pip install sendoff-serving")
    return Path(next(iter(spec.submodule_search_locations)))


def server_digest() -> str:
    """A digest of the scoring server's files."""
    digest = hashlib.sha256()
    folder = server_folder()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _add_server(install: Install, folder: Path) -> None:
    if install.server:
        packages = folder / "lib" / f"python{install.python.minor}" / "site-packages"
        packages.mkdir(parents=True, exist_ok=True)
        shutil.copytree(server_folder(), packages / "sendoff_serving", ignore=shutil.ignore_patterns("__pycache__"))


def local_python(minor: str, found: list[tuple[str, str]]) -> str | None:
    """The first interpreter of a minor version among ``(path, version)`` pairs."""
    return next((path for path, version in found if version.startswith(f"{minor}.")), None)
