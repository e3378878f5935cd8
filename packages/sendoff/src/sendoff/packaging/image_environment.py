"""Locked packages as files of an image: a virtual environment made by uv, as it has to be at its place there."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..containers.engine import Engine
from ..containers.runs import run
from ..environments import conda, uv
from ..environments.indexes import Supply
from ..errors import EnvironmentFailed, ImageNeedsEngine
from ..spec.parse import Spec
from .base_image import BaseImage
from .image_conda import prefix_entries
from .image_layers import MTIME, Entries, Entry, tree
from .image_python import ImagePython, compile_tree, host_glibc, newer_than
from .package_records import without_build_marks

FRONT = "opt/sendoff/front"
ENVIRONMENT = "opt/sendoff/environment"
FRONT_LOCK = Path(__file__).with_name("front.lock")
_NOT_NEEDED = re.compile(r"(activate.*|deactivate.*|pydoc\.bat)\Z")


class Install(Spec):
    """A virtual environment to be: where it will be, with which Python, and what is installed.

    ``local`` is an interpreter of the same minor version on this machine; None where there is none. With ``conda``
    records the environment is a conda prefix with a Python of its own, and neither is looked at.
    """

    at: str
    python: ImagePython
    local: str | None
    requirements: str
    server: bool = False
    """Whether the scoring server goes along."""
    conda: list[dict[str, Any]] = []
    dated: list[str] = []
    """uv's options for the day of the lock's packages (``environments.build.dated``)."""


class Builder:
    """Makes virtual environments for images.

    Args:
        base: The image that they will run in.
        supply: Where packages come from.
        client: The engine, for packages that have to be built inside the base image.
        cache: Where downloaded conda archives are kept.
    """

    def __init__(self, base: BaseImage, supply: Supply, *, client: Engine | None, cache: Path) -> None:
        self._base, self._supply, self._client, self._cache = base, supply, client, cache

    def entries(self, install: Install, staging: Path) -> Entries:
        """Install, compile, and list the files as they have to lie in the image.

        Args:
            install: What to make.
            staging: An empty folder.

        Raises:
            EnvironmentFailed: A package cannot be fetched or built.
        """
        folder = staging / "environment"
        if install.conda:
            return self._conda(install, folder)
        if must_be_inside(install, self._base):
            self._inside(install, folder)
        else:
            make_environment(install, folder, self._supply)
            _add_server(install, folder)
            assert install.local is not None
            compile_tree(install.local, folder / "lib", f"/{install.at}/lib")
        return placed(folder, install)

    def _conda(self, install: Install, folder: Path) -> Entries:
        conda.install(install.conda, folder, self._supply, cache=self._cache, final=f"/{install.at}")
        if must_be_inside(install, self._base):
            self._inside(install, folder)
        else:
            pip_packages(install, folder, self._supply)
            compile_tree(str(folder / "bin" / "python"), folder / "lib", f"/{install.at}/lib")
        return prefix_entries(folder, install.at)

    def _inside(self, install: Install, folder: Path) -> None:
        """In a container of the base image: this machine has no such Python, or a newer C library."""
        indexes = self._supply.indexes
        self._supply.progress(f"installing inside {self._base.reference}")
        if self._client is None:
            raise ImageNeedsEngine(
                f"packages for Python {install.python.minor} have to be installed inside {self._base.reference}, since "
                f"{must_be_inside(install, self._base)}",
                hint="A container engine could make them inside the image: start one.",
            )
        folder.mkdir(parents=True, exist_ok=True)
        _add_server(install, folder)
        work = folder.parent / "work"
        (work / "cache").mkdir(parents=True)
        (work / "requirements.txt").write_text(install.requirements, encoding="utf-8")
        uv.configure(work / "uv.toml", indexes)
        shutil.copy(Path(__file__).with_name("compile_files.py"), work / "compile_files.py")
        at = f"/{install.at}"
        python = install.python.path
        venv = f"venv --quiet --no-project --no-python-downloads --relocatable --allow-existing --python {python}"
        script = f"""set -e
uv="/sendoff/uv --config-file /sendoff/build/uv.toml --no-progress --color never"
cd /sendoff/build
{f"$uv {venv} {at}" if not install.conda else ""}
if [ -s requirements.txt ]; then
  $uv pip install --quiet --require-hashes --no-deps --break-system-packages --requirements requirements.txt \
    {" ".join(install.dated)} --python {at}/bin/python
fi
{python} -s -S compile_files.py {at}/lib {at}/lib {MTIME}
"""
        folders = {at: folder, "/sendoff/build": work}
        given = {"/sendoff/uv": Path(uv.binary())}
        variables = {"UV_CACHE_DIR": "/sendoff/build/cache", "HOME": "/sendoff/build", "UV_LINK_MODE": "copy"}
        variables |= build_variables(self._supply)
        if indexes.cert:
            given["/sendoff/ca.pem"] = Path(indexes.cert).expanduser().resolve()
            variables["SSL_CERT_FILE"] = "/sendoff/ca.pem"
        local = re.findall(r" @ file://(\S+)/[^/\s]+", install.requirements)
        for place in (*indexes.find_links, *map(unquote, local)):
            path = Path(place.removeprefix("file://")).expanduser()
            if path.is_dir():
                given[str(path)] = path
        body = {
            "Image": self._base.id,
            "Entrypoint": ["/bin/sh"],
            "Cmd": ["-c", script],
            "User": f"{os.getuid()}:{os.getgid()}",
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "HostConfig": {"NetworkMode": "host"},
        }
        status, said = run(self._client, body, folders=folders, given=given, seconds=3600.0)
        lines = indexes.conceal(said.decode("utf-8", "replace")).splitlines()
        if status:
            first = next((line for line in lines if line.strip()), "no output")
            raise EnvironmentFailed(
                f"installing inside {self._base.reference} failed: {first}",
                hint="See the log; a compiler may be missing in the base image.",
                log=lines[-20:],
            )
        shutil.rmtree(work, ignore_errors=True)


def must_be_inside(install: Install, base: BaseImage) -> str:
    """Why packages cannot be installed on this machine for a base image, as part of a sentence; empty when they can."""
    here, there = host_glibc(), base.glibc
    newer = newer_than(here, there)
    library = f"this machine's C library is {here or 'another one'} and the image's {there or 'another one'}"
    if install.conda:
        # conda's packages bring their own libraries; only what pip installs looks at this machine's.
        return library if install.requirements and newer else ""
    if install.python.copied:
        return ""
    if install.local is None:
        return f"this machine has no Python {install.python.minor}"
    return library if newer else ""


def make_environment(install: Install, folder: Path, supply: Supply) -> None:
    """Install locked packages into a virtual environment on this machine, with this machine's interpreter.

    Args:
        install: What to make; ``local`` is set.
        folder: Where, on this machine.
        supply: Where packages come from.

    Raises:
        EnvironmentFailed: A package cannot be fetched or built.
    """
    assert install.local is not None
    arguments = ["venv", "--quiet", "--no-project", "--no-python-downloads", "--relocatable"]
    arguments += ["--python", install.local, str(folder)]
    uv.run(arguments, supply, waits_for="making the image's environment")
    pip_packages(install, folder, supply)


def pip_packages(install: Install, folder: Path, supply: Supply) -> None:
    """Install the locked pip packages into an environment that is there; arguments as those above."""
    if not install.requirements:
        return
    count = uv.packages(len(re.findall(r"^[A-Za-z0-9]", install.requirements, re.MULTILINE)))
    supply.progress(f"installing {count} for the image")
    listed = folder.parent / "requirements.txt"
    listed.write_text(install.requirements, encoding="utf-8")
    arguments = ["pip", "install", "--quiet", "--require-hashes", "--no-deps", "--requirements", str(listed)]
    arguments += ["--python", str(folder / "bin" / "python"), *(["--break-system-packages"] if install.conda else [])]
    arguments += install.dated
    uv.run(arguments, supply, waits_for=f"installing {count} for the image")


def placed(folder: Path, install: Install) -> Entries:
    """A virtual environment's files as they have to lie in the image: its own interpreter, no paths of this machine."""
    found = tree(folder, install.at, skip=("pyvenv.cfg", ".lock", ".gitignore", "CACHEDIR.TAG", ".sendoff"))
    for path in [path for path in found if path.startswith(f"{install.at}/bin/")]:
        if _NOT_NEEDED.match(path.rpartition("/")[2]) or re.search(r"/python[\d.]*\Z", path):
            del found[path]
    without_build_marks(found)
    bin_folder = f"{install.at}/bin"
    found[f"{bin_folder}/python"] = Entry(link=install.python.path)
    found[f"{bin_folder}/python3"] = Entry(link="python")
    found[f"{bin_folder}/python{install.python.minor}"] = Entry(link="python")
    home = install.python.path.rpartition("/")[0]
    config = f"home = {home}\ninclude-system-site-packages = false\nversion = {install.python.version}\n"
    found[f"{install.at}/pyvenv.cfg"] = Entry(data=config.encode())
    return found


def build_variables(supply: Supply) -> dict[str, str]:
    """Variables of the way to the network that every build gets, and no image keeps: the proxy's."""
    found = {
        name: supply.environ[name]
        for plain in ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
        for name in (plain, plain.upper())
        if supply.environ.get(name)
    }
    return found | supply.indexes.proxy_variables()


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
