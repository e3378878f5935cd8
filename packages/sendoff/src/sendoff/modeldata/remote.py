"""A store that collected files are copied to: a folder, an S3-compatible bucket, Azure Blob Storage; through fsspec.

The scoring server never waits for it: it writes to its folder, and a process beside it copies. A file is copied whole
under its own path, so that the store has the same layout; an object store shows the old one or the new one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ..errors import InvalidInput, NotSupported, StoreError
from ..files import write_json
from ..spec.modeldata import DataFile
from . import files, place

if TYPE_CHECKING:
    from ..spec.settings import Settings

T = TypeVar("T")
COPIED = ".copied.json"
"""Beside the data: size and time of each file as it was copied."""
_EXTRAS = {"s3": "s3", "s3a": "s3", "az": "azure", "abfs": "azure", "abfss": "azure"}
SECONDS = 30.0


class Remote:
    """The store of copies.

    Args:
        address: ``s3://bucket/prefix``, ``az://container/prefix``, ``file:///folder``.
        endpoint: Address of an S3-compatible service; None for the provider's own.

    Raises:
        InvalidInput: The address is none.
    """

    def __init__(self, address: str, endpoint: str | None) -> None:
        parts = urlsplit(address)
        if parts.scheme not in (*_EXTRAS, "file", "memory") or not (parts.netloc or parts.path.strip("/")):
            raise InvalidInput(
                f"data_store: {address!r} is no store",
                hint="Write s3://bucket/prefix, az://container/prefix or file:///folder.",
                field="data_store",
            )
        self.address = address.rstrip("/")
        self._scheme = parts.scheme
        self._endpoint = endpoint
        self._system: Any = None

    @classmethod
    def of(cls, settings: Settings) -> Remote | None:
        """The store that the settings name; None when they name none."""
        return None if settings.data_store is None else cls(settings.data_store, settings.data_store_endpoint)

    def files(self, scope: str) -> list[DataFile]:
        """What is there of a service.

        Raises:
            StoreError: It cannot be asked.
        """
        root = self._path(scope)
        found = self._ask(lambda system: system.find(root, detail=True), refresh=True)
        described = []
        for path, facts in found.items():
            relative = PurePosixPath(str(path).removeprefix(root).lstrip("/"))
            one = files.describe(relative, int(facts.get("size") or 0), 0.0, self.address)
            if one is not None:
                described.append(one)
        return described

    def read(self, scope: str, path: str) -> bytes:
        """A file's content."""
        return self._ask(lambda system: bytes(system.cat_file(f"{self._path(scope)}/{path}")))

    def put(self, scope: str, path: str, content: bytes) -> None:
        """Write a file, whole."""

        def write(system: Any) -> None:
            target = f"{self._path(scope)}/{path}"
            if self._scheme in ("file", "memory"):
                system.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            system.pipe_file(target, content)

        self._ask(write)

    def _path(self, scope: str) -> str:
        path: str = self._filesystem()._strip_protocol(f"{self.address}/{place.ROOT}/{scope}")
        return path

    def _filesystem(self) -> Any:
        if self._system is None:
            try:
                import fsspec

                options: dict[str, Any] = {}
                if self._scheme in ("s3", "s3a"):
                    # Quick to give up: whoever lists data should not wait for a dead store.
                    options["config_kwargs"] = {
                        "connect_timeout": 5,
                        "read_timeout": 20,
                        "retries": {"max_attempts": 2},
                    }
                    if self._endpoint is not None:
                        options["endpoint_url"] = self._endpoint
                if _EXTRAS.get(self._scheme) == "azure":
                    options |= {"connection_timeout": 5, "read_timeout": 20}
                protocol = "s3" if self._scheme == "s3a" else self._scheme
                self._system = fsspec.filesystem(protocol, **options)
            except ImportError:
                extra = _EXTRAS.get(self._scheme, "s3")
                raise NotSupported(
                    f"the store {self.address} needs a package that is not installed",
                    hint=f"pip install 'sendoff-ml[{extra}]'",
                ) from None
        return self._system

    def _ask(self, call: Callable[[Any], T], *, refresh: bool = False) -> T:
        """One call, bounded in time: a store that hangs must hold nobody up."""
        answer: list[T] = []
        failure: list[BaseException] = []

        def work() -> None:
            try:
                system = self._filesystem()
                if refresh:
                    system.invalidate_cache()
                answer.append(call(system))
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(SECONDS)
        if answer:
            return answer[0]
        if failure and isinstance(failure[0], NotSupported):
            raise failure[0]
        why = f"{type(failure[0]).__name__}: {failure[0]}" if failure else f"no answer within {SECONDS:g} s"
        raise StoreError(
            f"the store of collected data {self.address} cannot be used: {why}",
            hint="Scoring and collecting go on; files stay on this machine until they are copied.",
            path=self.address,
        ) from None


def copy(folder: Path, scope: str, remote: Remote) -> tuple[int, int]:
    """Copy what has changed since the last time; how many files and bytes that was.

    Raises:
        StoreError: The store does not take them; what was copied before it said so is noted.
    """
    noted = folder / COPIED
    try:
        known: dict[str, Any] = json.loads(noted.read_bytes())
    except (OSError, ValueError):
        known = {}
    if known.get("store") != remote.address:
        known = {"store": remote.address, "files": {}}
    count = size = 0
    try:
        for one in files.local(folder):
            mark = [one.size, one.modified]
            if known["files"].get(one.path) == mark:
                continue
            try:
                content = (folder / one.path).read_bytes()
            except OSError:
                continue  # removed meanwhile
            remote.put(scope, one.path, content)
            known["files"][one.path] = mark
            count, size = count + 1, size + len(content)
    finally:
        if count:
            write_json(noted, known)
    return count, size
