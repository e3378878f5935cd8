"""What installed Python packages say of their own files, kept true when an image's files are not those of the disk."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import posixpath
from collections.abc import Mapping

from .image_layers import Entries, Entry


def without_build_marks(found: Entries) -> None:
    """Leave out where and when a local wheel was read: this machine's business, and different from build to build."""
    for path in [path for path in found if path.endswith((".dist-info/uv_cache.json", ".dist-info/direct_url.json"))]:
        folder, _, name = path.rpartition("/")
        record = found.get(f"{folder}/RECORD")
        del found[path]
        if record is not None:
            kept = [line for line in record.content.splitlines(True) if f"/{name},".encode() not in line]
            found[f"{folder}/RECORD"] = Entry(data=b"".join(kept))


def with_changes(found: Entries, changed: Mapping[str, bytes]) -> None:
    """Put other content into some files, and its hash and size into the RECORD that lists them.

    Args:
        found: Files of an image.
        changed: Path in the image to content.
    """
    for path, data in changed.items():
        found[path] = Entry(data=data, executable=found[path].executable)
    for path in [path for path in found if changed and path.endswith(".dist-info/RECORD")]:
        packages = path.rsplit("/", 2)[0]
        rows = list(csv.reader(found[path].content.decode("utf-8").splitlines()))
        touched = False
        for row in rows:
            other = changed.get(posixpath.normpath(f"{packages}/{row[0]}")) if len(row) == 3 else None
            if other is not None:
                digest = base64.urlsafe_b64encode(hashlib.sha256(other).digest()).rstrip(b"=").decode()
                row[1:] = [f"sha256={digest}", str(len(other))]
                touched = True
        if touched:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            found[path] = Entry(data=text.getvalue().encode())
