"""Archives of a user's machine in an environment's lines: a path, and the digest under which the store keeps it.

``pricing @ file:///home/me/dist/pricing-0.3.0-py3-none-any.whl#sha256=…`` is pip's own way to say what a file holds.
With it the content is part of the definition's digest: a wheel that is built anew is another environment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import InvalidInput

FIND_LINKS = "--find-links "
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz")
_URL = re.compile(r"file:[^\s;#]+(?:#\S*)?")
_DIGEST = re.compile(r"#(?:.*&)?sha256=([0-9a-f]{64})\Z")
_STORED = re.compile(r"(file:[^\s;#]+)#(?:[^\s;]*&)?sha256=([0-9a-f]{64})")


def stored_archives(line: str) -> list[tuple[str, str]]:
    """Name of the file and digest (``sha256:…``) of what a line names of the store."""
    return [(_path(url).name, f"sha256:{digest}") for url, digest in _STORED.findall(line)]


def in_place(line: str, place: Callable[[str, str], Path]) -> str:
    """The line with the store's archives where ``place`` says, by name and digest."""
    return _STORED.sub(lambda match: place(_path(match[1]).name, f"sha256:{match[2]}").as_uri(), line)


def with_digests(lines: Iterable[str], put: Callable[[Path], str]) -> list[str]:
    """Lines with the digest of every file of this machine that they name; a ``--find-links`` folder as its archives.

    Args:
        lines: Requirements and options of a definition.
        put: Stores a file; gives its digest, ``sha256:…``.

    Raises:
        InvalidInput: A file is not there, or is not what its line says.
    """
    return [kept for line in lines for kept in _with_digests(line, put)]


def _with_digests(line: str, put: Callable[[Path], str]) -> list[str]:
    if line.startswith(FIND_LINKS):
        value = line.removeprefix(FIND_LINKS).strip()
        folder = _path(value) if value.startswith("file:") else Path(value).expanduser()
        if ("://" in value and not value.startswith("file:")) or not folder.is_dir():
            return [line]
        archives = sorted(path for path in folder.iterdir() if path.name.endswith(_ARCHIVES) and path.is_file())
        return [f"{FIND_LINKS}{_stored(path, put)}" for path in archives] or [line]
    if line.startswith("-"):
        return [line]
    return [_URL.sub(lambda match: _checked(match[0], put), line)]


def _checked(url: str, put: Callable[[Path], str]) -> str:
    path, stated = _path(url), _DIGEST.search(url)
    if stated and not path.is_file():
        return url  # kept by the store, as the definition was made on another machine or day
    if not path.is_file():
        raise InvalidInput(
            f"file {path} does not exist",
            hint="Build it again, or correct the path in the environment.",
            missing=str(path),
        )
    found = _stored(path, put)
    # A definition that says which file it means is not moved to another one.
    return url if stated and not found.endswith(stated[1]) else found


def _stored(path: Path, put: Callable[[Path], str]) -> str:
    return f"{path.resolve().as_uri()}#sha256={put(path).removeprefix('sha256:')}"


def _path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))
