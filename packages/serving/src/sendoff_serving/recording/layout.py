"""Where what is collected lies, below the folder of a service (spec/behaviour.md sec. 17.2).

    <model>/<version>/<designation>/<year>/<month>/<day>/data.csv

Month and day have two digits, so that names sort as time does; days are those of UTC.
"""

from __future__ import annotations

import re
import time

REQUEST_ID = "RequestId"
ROW = "RowIndex"
CORRELATION = "$aml_dc_correlation_id"
TIMESTAMP = "$aml_dc_scoring_timestamp"
COUNTS = ".counts"
"""Folder of what each server counted."""

_UNSAFE = re.compile(r"[^\w.@=+ -]")
# Designations whose file is called data.csv whatever the collection's name is.
_PLAIN = frozenset({"inputs", "predictions", "labels", "default"})


def part(name: str) -> str:
    """A name as one part of a path."""
    safe = _UNSAFE.sub("_", name).strip(" ")[:120]
    return safe if safe.strip(".") else "_"


def day(seconds: float) -> str:
    """The end of a folder's path for a time in Unix seconds."""
    return time.strftime("%Y/%m/%d", time.gmtime(seconds))


def stem(designation: str, collection: str) -> str:
    """Name of the file, without its suffix: the collection's for signals, general and words of a script's own."""
    return "data" if designation in _PLAIN or collection in ("", "default") else part(collection)


def timestamp(seconds: float) -> str:
    """A time as it stands in the files: ISO 8601 in UTC, with milliseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
