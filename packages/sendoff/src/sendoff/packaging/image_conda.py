"""A conda prefix as files of an image: bound to its place there, without traces of this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import EnvironmentFailed
from .base_image import BaseImage
from .image_layers import Entries, Entry, tree
from .image_python import newer_than
from .package_records import with_changes, without_build_marks

# What conda-meta says of where and when an archive was unpacked here.
_OURS = ("extracted_package_dir", "package_tarball_full_path", "link", "requested_spec", "requested_specs", "timestamp")
_SCRIPT_HEAD = 1024
# How a script starts whose interpreter's path is too long for the kernel; in the image it is not.
_LONG_HEAD = rb"""\A#!/bin/sh\n'''exec' '([^']+)' "\$0" "\$@"\n' '''\n"""


def check_library(base: BaseImage, records: Iterable[Mapping[str, Any]]) -> None:
    """Make sure that conda packages, which bring all but the C library, find one that is new enough.

    Raises:
        EnvironmentFailed: A package wants a newer one than the base image has.
    """
    for record in records:
        for line in (*record.get("depends", ()), *record.get("constrains", ())):
            wanted = re.match(r"__glibc\s*>=\s*([\d.]+)", line)
            if wanted and base.glibc and newer_than(wanted[1], base.glibc):
                raise EnvironmentFailed(
                    f"the conda package {record['name']} {record['version']} needs the C library {wanted[1]}; the base "
                    f"image {base.reference} has {base.glibc}",
                    hint="Choose a newer base image: docker.baseImage, or the setting base_image.",
                )


def prefix_entries(folder: Path, at: str) -> Entries:
    """The files of a prefix as they have to lie in the image.

    Args:
        folder: The prefix on this machine; its conda packages are bound to ``/{at}`` already.
        at: Where it will be, without the leading ``/``.
    """
    found = tree(folder, at, skip=("conda-meta/history", "conda-meta/state", ".lock", "requirements.txt"))
    without_build_marks(found)
    here, there = str(folder).encode(), f"/{at}".encode()
    changed: dict[str, bytes] = {}
    for path, entry in found.items():
        if entry.source is None:
            continue
        if path.startswith(f"{at}/bin/"):
            # Scripts that pip packages bring name the interpreter where it was when they were written.
            with Path(entry.source).open("rb") as file:
                head = file.read(_SCRIPT_HEAD)
            if head.startswith(b"#!") and here in head:
                changed[path] = re.sub(_LONG_HEAD, rb"#!\1\n", entry.content).replace(here, there)
        elif path.startswith(f"{at}/conda-meta/") and path.endswith(".json"):
            found[path] = Entry(data=_facts(entry.content))
    with_changes(found, changed)
    return found


def _facts(document: bytes) -> bytes:
    known = json.loads(document)
    kept = {name: value for name, value in known.items() if name not in _OURS}
    return json.dumps(kept, sort_keys=True, indent=1).encode()
