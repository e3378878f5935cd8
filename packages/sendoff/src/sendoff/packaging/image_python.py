"""Which Python an image runs a part with: the base's own, or one of this machine's copied in (settled.md)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import EnvironmentFailed
from ..spec.parse import Spec
from .base_image import BaseImage
from .image_layers import MTIME, Entries, Entry, tree

COMPILER = Path(__file__).with_name("compile_files.py")
ROOT = "opt/sendoff"

_FACTS = """
import json, os, sys, sysconfig
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "stdlib": sysconfig.get_path("stdlib"),
    "version": "%d.%d.%d" % sys.version_info[:3],
    "dynload": [path for path in sys.path if path.endswith("lib-dynload")],
    "triplet": sysconfig.get_config_var("MULTIARCH") or "",
}))
"""
_UNUSED = (
    "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3/tests", "ensurepip", "site-packages", "dist-packages",
    "unittest/test", "distutils/tests", "sqlite3/test", "ctypes/test", "turtle.py", "__pycache__",
)  # fmt: skip
# Parts of the C library: they go with the base's own loader, never from elsewhere.
_GLIBC = re.compile(r"(linux-vdso|ld-linux|libc|libm|libdl|libpthread|librt|libutil|libresolv|libnsl|libanl)[.\-]")


class ImagePython(Spec):
    """A Python in the image: its path there, and the files that bring it when the base has none."""

    path: str
    version: str
    copied: str = ""
    """The interpreter on this machine that is copied in; empty when the base has one."""

    @property
    def minor(self) -> str:
        """``3.11`` of ``3.11.2``."""
        return ".".join(self.version.split(".")[:2])


def choose(base: BaseImage, minor: str, local: str | None, version: str) -> ImagePython:
    """The Python for a part of the image.

    Args:
        base: The base image.
        minor: ``3.6``.
        local: An interpreter of that version on this machine.
        version: Its version.

    Raises:
        EnvironmentFailed: The base lacks it, and this machine has none that could be copied in.
    """
    there = base.python(minor)
    if there is not None:
        return ImagePython(path=there, version=next(v for p, v in base.pythons if p == there))
    if local is None:
        have = ", ".join(version for _, version in base.pythons) or "none"
        raise EnvironmentFailed(
            f"the base image {base.reference} has no Python {minor} and neither has this machine",
            hint=f"It has {have}. Choose one with Python {minor}: docker.baseImage, or the setting base_image.",
        )
    if newer_than(host_glibc(), base.glibc):
        raise EnvironmentFailed(
            f"the base image {base.reference} has no Python {minor}; this machine's cannot run there, since its C "
            f"library is {base.glibc or 'another one'} and this machine's {host_glibc()}",
            hint=f"Choose a base image with Python {minor}, or a newer one.",
        )
    return ImagePython(path=f"/{ROOT}/python/{minor}/bin/python{minor}", version=version, copied=local)


def entries(python: ImagePython, base: BaseImage, staging: Path) -> Entries:
    """The files of a copied interpreter: program, standard library, and the libraries that the base lacks.

    Args:
        python: What :func:`choose` gave, with ``copied`` set.
        base: The base image.
        staging: An empty folder for what is compiled.

    Raises:
        EnvironmentFailed: The interpreter does not run.
    """
    facts = _facts(python.copied)
    at = f"{ROOT}/python/{python.minor}"
    library = staging / "lib" / f"python{python.minor}"
    shutil.copytree(facts["stdlib"], library, symlinks=True, ignore=_unused(facts["stdlib"]))
    for folder in facts["dynload"]:
        shutil.copytree(folder, library / "lib-dynload", dirs_exist_ok=True, ignore=shutil.ignore_patterns("_tkinter*"))
    compile_tree(facts["executable"], staging, f"/{at}")
    found = tree(staging, at)
    found[f"{at}/bin/python{python.minor}"] = Entry(source=facts["executable"], executable=True)
    found[f"{at}/bin/python3"] = Entry(link=f"python{python.minor}")
    binaries = [facts["executable"], *(str(path) for path in (library / "lib-dynload").glob("*.so"))]
    folder = f"usr/lib/{facts['triplet']}" if facts["triplet"] else "usr/lib"
    for name, path in _libraries(binaries).items():
        if name not in base.libraries:
            found[f"{folder}/{name}"] = Entry(source=path, executable=True)
    return found


def compile_tree(python: str, folder: Path, final: str) -> None:
    """Compile all Python files below a folder as if it lay at ``final``; an aid: what does not compile is left."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(
        [python, "-s", "-S", str(COMPILER), str(folder), final, str(MTIME)],
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=1800,
    )


def host_glibc() -> str:
    """This machine's C library, as ``2.36``; empty where it is another one."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")[2]
    except (ValueError, OSError):
        return ""


def newer_than(one: str, other: str) -> bool:
    """Whether what was built against C library ``one`` may fail on ``other``."""

    def release(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", text)[:2])

    return not one or not other or release(one) > release(other)


def _facts(python: str) -> dict[str, str]:
    done = subprocess.run([python, "-I", "-c", _FACTS], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise EnvironmentFailed(f"the interpreter {python} does not run: {done.stderr.strip()[-300:]}")
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _unused(stdlib: str) -> Callable[[str, list[str]], set[str]]:
    def ignore(folder: str, names: list[str]) -> set[str]:
        inner = os.path.relpath(folder, stdlib)
        paths = {name: name if inner == "." else f"{inner}/{name}" for name in names}
        return {
            name
            for name, path in paths.items()
            if path in _UNUSED or name == "__pycache__" or name.endswith(".a") or path.startswith("config-")
        }

    return ignore


def _libraries(binaries: list[str]) -> Mapping[str, str]:
    """Shared libraries that programs need, by the name that they are looked up under."""
    done = subprocess.run(["ldd", *binaries], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    found = re.findall(r"^\s+(\S+) => (/\S+) \(", done.stdout, re.MULTILINE)
    return {name: path for name, path in sorted(set(found)) if not _GLIBC.match(name)}
