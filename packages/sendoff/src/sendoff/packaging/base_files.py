"""What a base image has, read from its layers' files: what :mod:`.base_image` finds by running it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import IO, Any, NamedTuple

from ..errors import ImageNeedsEngine
from .base_image import NOT_ITS_OWN, PYTHON_FOLDERS, PYTHON_NAMES
from .image_layers import BIGGEST
from .layer_tree import LayerTree, Node

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What an engine sets where an image sets none."""
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/lib/*-linux-gnu", "/usr/lib/*-linux-gnu")
_CHUNK, _OVERLAP, _LARGEST_TEXT = 1 << 20, 256, 64_000_000
_BINARY = re.compile(r"python[\d.]*m?|libpython3[\w.]*\.so[\w.]*")
_LIBC = re.compile(r"libc\.so\.6|libc-2\.\d+\.so")
_TEXTS = ("/os-release", "/dpkg/status")
# Linkers let a text that others end with stand at their end: /opt/versions/3.11.7 may be where its version is.
_PYTHON_VERSION = re.compile(rb"(?<![\d.])(3\.\d{1,2}\.\d{1,2})(?:(?:a|b|rc)\d+)?\+?\0")
_LIBC_VERSION = re.compile(rb"GNU C Library [^\0\n]{0,120}?version (\d+\.\d+)")


class Program(NamedTuple):
    """A compiled file, and the versions that are written in it."""

    versions: frozenset[str]


def read(path: str, file: IO[bytes]) -> object:
    """What a file of a base image says that matters here; None of most."""
    name = path.rpartition("/")[2]
    if path.endswith(_TEXTS):
        return file.read(_LARGEST_TEXT)
    if _BINARY.fullmatch(name):
        return _program(file, _PYTHON_VERSION)
    if _LIBC.fullmatch(name):
        return _program(file, _LIBC_VERSION)
    return None


def facts(tree: LayerTree, variables: Mapping[str, str], reference: str) -> dict[str, Any]:
    """The fields of a :class:`.base_image.BaseImage` that its files tell.

    Args:
        tree: Its layers, with what :func:`read` told.
        variables: Those of its configuration.
        reference: Its name, for errors.

    Raises:
        ImageNeedsEngine: Its C library or a Python cannot be told without running it.
    """
    path = [one for one in (variables.get("PATH") or DEFAULT_PATH).split(":") if one]
    release = dict(shlex.split(line)[0].partition("=")[::2] for line in _release(tree))
    count, content, biggest = _counted(tree)
    return {
        "glibc": _glibc(tree, reference),
        "pythons": _pythons(tree, path, reference),
        "named": dict(_named(tree, path)),
        "libraries": sorted({name for folder in _library_folders(tree) for name in tree.names(folder) if _is_so(name)}),
        "packages": _packages(tree, path),
        "system": " ".join(release.get(key, "") for key in ("ID", "VERSION_ID")).strip(),
        "files": count,
        "content": content,
        "biggest": biggest,
    }


def unusual(reference: str, what: str) -> ImageNeedsEngine:
    """The error for a base image that cannot be looked into, with the two ways out."""
    return ImageNeedsEngine(
        f"the base image {reference} cannot be looked into without running it: {what}",
        hint="Start a container engine here (Docker or Podman), or choose another base image: docker.baseImage, or the "
        "setting base_image.",
        base_image=reference,
    )


def _program(file: IO[bytes], pattern: re.Pattern[bytes]) -> Program | None:
    found: set[str] = set()
    data = file.read(_CHUNK)
    if not data.startswith(b"\x7fELF"):
        return None
    while data:
        found |= {match.decode() for match in pattern.findall(data)}
        more = file.read(_CHUNK)
        data = data[-_OVERLAP:] + more if more else b""
    return Program(frozenset(found))


def _glibc(tree: LayerTree, reference: str) -> str:
    for folder in _library_folders(tree):
        node = tree.find(f"{folder}/libc.so.6")
        if node is None:
            continue
        versions = node.told.versions if isinstance(node.told, Program) else frozenset()
        if len(versions) == 1:
            return next(iter(versions))
        raise unusual(reference, f"{folder}/libc.so.6 does not say its version")
    return ""


def _pythons(tree: LayerTree, path: list[str], reference: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for folder in dict.fromkeys([*path, *PYTHON_FOLDERS]):
        for name in tree.names(folder):
            node = tree.find(f"{folder}/{name}")
            if not any(fnmatch(name, pattern) for pattern in PYTHON_NAMES) or node is None or not node.executable:
                continue
            real = tree.real(f"{folder}/{name}")
            if real in found:
                continue
            version = _version(tree, real, node)
            if version is None:
                raise unusual(reference, f"{folder}/{name} does not say which Python it is")
            # One that lacks its library does not start, or not with what is asked of it.
            if _has_library(tree, real, version):
                found[real] = version
    return sorted(found.items())


def _version(tree: LayerTree, real: str, node: Node) -> str | None:
    """A program's version: in it, or in the library of its that holds the interpreter."""
    if not isinstance(node.told, Program):
        return None
    minor = re.search(r"python(3\.\d+)$", real)
    versions = {one for one in node.told.versions if minor is None or one.startswith(f"{minor[1]}.")}
    if not versions and minor is not None:
        home = real.rpartition("/bin/")[0]
        for folder in (f"{home}/lib", f"{home}/lib64", *_library_folders(tree)):
            for name in tree.names(folder):
                held = tree.find(f"{folder}/{name}") if name.startswith(f"libpython{minor[1]}") else None
                if held is not None and isinstance(held.told, Program):
                    versions |= {one for one in held.told.versions if one.startswith(f"{minor[1]}.")}
            if versions:
                break
    return next(iter(versions)) if len(versions) == 1 else None


def _has_library(tree: LayerTree, real: str, version: str) -> bool:
    home, minor = real.rpartition("/bin/")[0], ".".join(version.split(".")[:2])
    return any(tree.find(f"{home}/{lib}/python{minor}/json/__init__.py") for lib in ("lib", "lib64"))


def _named(tree: LayerTree, path: list[str]) -> Iterator[tuple[str, str]]:
    for name in ("python", "python3"):
        for folder in path:
            node = tree.find(f"{folder}/{name}")
            if node is not None and node.executable:
                yield name, f"{folder}/{name}"
                break


def _library_folders(tree: LayerTree) -> Iterator[str]:
    for pattern in _LIBRARIES:
        above, _, last = pattern.rpartition("/")
        if "*" not in last:
            yield pattern
            continue
        yield from (f"{above}/{name}" for name in tree.names(above) if fnmatch(name, last))


def _is_so(name: str) -> bool:
    return ".so" in name and not name.startswith(".")


def _packages(tree: LayerTree, path: list[str]) -> list[tuple[str, str]]:
    """What dpkg lists, where there is a dpkg."""
    query = (tree.find(f"{folder}/dpkg-query") for folder in path)
    status = tree.find("/var/lib/dpkg/status")
    if status is None or not isinstance(status.told, bytes) or not any(one is not None for one in query):
        return []
    found = []
    for paragraph in status.told.decode("utf-8", "replace").split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Status): *(.*)$", paragraph, re.MULTILINE))
        if fields.get("Package") and not fields.get("Status", "").endswith("not-installed"):
            found.append((fields["Package"].strip(), fields.get("Version", "").strip()))
    return sorted(found)


def _release(tree: LayerTree) -> list[str]:
    node = tree.find("/etc/os-release")
    text = node.told.decode("utf-8", "replace") if node is not None and isinstance(node.told, bytes) else ""
    return re.findall(r"^(?:ID|VERSION_ID)=\S.*$", text, re.MULTILINE)


def _counted(tree: LayerTree) -> tuple[int, int, list[tuple[str, int]]]:
    """Number and bytes of the files, and the largest; a file with several names is one, and has the first of them."""
    once: dict[Node, str] = {}
    for path, node in tree.files():
        if path not in NOT_ITS_OWN and not path.startswith(("/dev/", "/proc/", "/sys/")):
            once[node] = min(path, once.get(node, path))
    largest = sorted(((path, node.size or 0) for node, path in once.items()), key=lambda one: (-one[1], one[0]))
    return len(once), sum(size for _, size in largest), largest[:BIGGEST]
