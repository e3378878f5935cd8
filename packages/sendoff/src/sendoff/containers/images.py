"""Images of an engine: found, pulled, named, loaded, read and built."""

from __future__ import annotations

import http.client
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from typing import IO, Any
from urllib.parse import quote

from ..errors import StoreError, TargetUnavailable
from .engine import CHUNK, Engine, EngineError, conceal
from .registries import Credentials

File = tuple[str, int, Iterable[bytes]]
"""A file of an archive: its name, its size, and its bytes as they come."""


def find(engine: Engine, reference: str) -> dict[str, Any] | None:
    """What the engine knows of an image (by name or id); None when it has none such.

    Raises:
        TargetUnavailable: The engine does not answer.
    """
    try:
        found: dict[str, Any] = engine.call("GET", f"/images/{_path(reference)}/json")
        return found
    except EngineError as error:
        if error.status in (400, 404):
            return None
        raise


def history(engine: Engine, reference: str) -> list[dict[str, Any]]:
    """What made each layer of an image, the newest first."""
    found: list[dict[str, Any]] = engine.call("GET", f"/images/{_path(reference)}/history", seconds=60.0)
    return found


def pull(engine: Engine, reference: str, credentials: Credentials | None = None) -> None:
    """Bring an image from its registry.

    Args:
        engine: The engine.
        reference: A name, with a tag or digest; without, ``latest`` is meant.
        credentials: Who we are at its registry.

    Raises:
        EngineError: There is none such, or no permission; ``words`` are the registry's.
        TargetUnavailable: The engine does not answer.
    """
    name, tag = reference, "latest"
    if "@" in reference:
        name, _, tag = reference.partition("@")
    elif match := re.search(r":([^:/]+)\Z", reference):
        name, tag = reference[: match.start()], match[1]
    headers = {"Content-Length": "0"}
    if credentials is not None:
        headers["X-Registry-Auth"] = credentials.header()
    query = {"fromImage": name, "tag": tag}
    with engine.answer("POST", "/images/create", query=query, headers=headers) as answer:
        for event in _events(answer):
            if "error" in event:
                raise EngineError(500, str(event["error"]))


def tag(engine: Engine, id_: str, reference: str) -> None:
    """Give an image a name."""
    name, _, label = reference.rpartition(":") if re.search(r":[^:/]+\Z", reference) else (reference, "", "latest")
    engine.call("POST", f"/images/{_path(id_)}/tag", query={"repo": name, "tag": label})


def remove(engine: Engine, reference: str, *, force: bool = False) -> bool:
    """Remove an image or a name of one; False when there is none, or a container needs it.

    Raises:
        TargetUnavailable: The engine does not answer, or fails.
    """
    try:
        engine.call("DELETE", f"/images/{_path(reference)}", query={"force": "1" if force else "0"}, seconds=60.0)
        return True
    except EngineError as error:
        if error.status in (403, 404, 409):
            return False
        raise


def load(engine: Engine, files: Iterable[File]) -> None:
    """Give the engine the images of an archive as ``docker save`` writes them, file by file as they come.

    Args:
        engine: The engine.
        files: What is in the archive.

    Raises:
        TargetUnavailable: The engine does not answer, or refuses it.
    """
    headers = {"Content-Type": "application/x-tar"}
    with engine.answer("POST", "/images/load", query={"quiet": "1"}, body=_archive(files), headers=headers) as answer:
        for event in _events(answer):
            if "error" in event:
                said = conceal(str(event["error"]))
                raise TargetUnavailable(f"the engine refused the image: {said}", reason="refused")


def save(engine: Engine, reference: str, out: IO[bytes]) -> None:
    """Write an image as ``docker save`` does.

    Raises:
        StoreError: It cannot be written.
    """
    with engine.answer("GET", f"/images/{_path(reference)}/get") as answer:
        while data := answer.read(CHUNK):
            try:
                out.write(data)
            except OSError as error:
                raise StoreError(f"the image cannot be written: {error.strerror}") from None


def build(engine: Engine, context: bytes, *, tag: str, arguments: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Build a Dockerfile, without caches and on the host's network; what the engine tells, an event at a time.

    Args:
        engine: The engine.
        context: A tar archive with ``Dockerfile`` in it.
        tag: The image's name.
        arguments: Build arguments.
    """
    query = {
        "t": tag, "buildargs": arguments, "networkmode": "host", "rm": "1", "forcerm": "1", "nocache": "1"
    }  # fmt: skip
    headers = {"Content-Type": "application/x-tar"}
    with engine.answer("POST", "/build", query=query, body=context, headers=headers, seconds=3600.0) as answer:
        yield from _events(answer)


def problem(engine: Engine, reference: str, credentials: Credentials | None = None) -> str:
    """Why an image cannot be had: it is neither in the engine nor in its registry; empty when it can. Pulls nothing.

    Args:
        engine: The engine.
        reference: The image's name.
        credentials: Who we are at its registry.
    """
    try:
        engine.call("GET", f"/images/{_path(reference)}/json")
        return ""
    except EngineError as error:
        if error.status != 404:
            return f"the engine does not say whether it has the image {reference}: {error.words}"
    try:
        headers = {} if credentials is None else {"X-Registry-Auth": credentials.header()}
        with engine.answer("GET", f"/distribution/{_path(reference)}/json", headers=headers, seconds=20.0) as answer:
            answer.read()
    except EngineError as error:
        return f"the base image {reference} is not in the engine and cannot be pulled: {error.words}"
    return ""


def _events(answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """What happens, a line of JSON each."""
    for line in answer:
        if line.strip():
            yield json.loads(line)


def _archive(files: Iterable[File]) -> Iterator[bytes]:
    for name, size, pieces in files:
        info = tarfile.TarInfo(name)
        info.size = size
        yield info.tobuf(tarfile.PAX_FORMAT)
        yield from pieces
        yield bytes(-size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _path(reference: str) -> str:
    return quote(reference, safe="/:@")
