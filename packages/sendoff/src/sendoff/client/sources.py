"""Where a dataset's data is, from what a user typed: paths of a datastore stay, files and addresses are copied in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import InvalidInput, NotSupported
from ..progress import Progress
from ..spec.dataset import DataSource
from ..spec.model import ManifestFile
from .calls import Client
from .transfer import Transfer

_SECONDS = 60.0
_SIGNS = set("*?[")


def copied_in(client: Client, text: str, progress: Progress | None = None) -> DataSource:
    """Store what is at a local path, in a folder, matches a pattern, or is at an ``https://`` address.

    Raises:
        InvalidInput: Nothing is there.
        Unreachable: The address does not answer.
        NotSupported: An address of another kind.
    """
    transfer = Transfer(client, progress)
    if "://" in text and not text.startswith("file://"):
        name = Path(unquote(urlsplit(text).path)).name or "data"
        files: list[ManifestFile] = [transfer.put_bytes(name, _fetched(client, text))]
    else:
        files = transfer.put_files(local_files(unquote(urlsplit(text).path) if "://" in text else text))
    return DataSource(path=text, files=files)


def local_files(text: str) -> Sequence[tuple[str, Path]]:
    """Local files at a path, below a folder or that match a pattern, with their names in a manifest.

    Raises:
        InvalidInput: Nothing is there.
    """
    path = Path(text)
    if path.is_file():
        return [(path.name, path)]
    if path.is_dir():
        found = [(one.relative_to(path).as_posix(), one) for one in sorted(path.rglob("*")) if one.is_file()]
    else:
        top = Path(next((one for one in path.parents if not _SIGNS & set(str(one))), Path()))
        names = sorted(top.glob(path.relative_to(top).as_posix())) if _SIGNS & set(text) else []
        found = [(one.relative_to(top).as_posix(), one) for one in names if one.is_file()]
    if not found:
        raise InvalidInput(f"there is no file at {text}", hint=f"Looked in {Path.cwd()}.", field="path")
    return found


def _fetched(client: Client, address: str) -> bytes:
    if urlsplit(address).scheme not in ("http", "https"):
        raise NotSupported(f"{address}: only http:// and https:// addresses can be fetched", field="path")
    return client.way.fetch(address, _SECONDS)
