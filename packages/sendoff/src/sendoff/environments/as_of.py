"""Which day's packages a definition means: an old file pins two packages, and meant the others as they were then."""

from __future__ import annotations

import datetime
import re
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import EnvironmentFailed
from ..spec.environment import canonical_name
from ..spec.parse import Spec
from . import uv
from .indexes import Supply

GRACE = datetime.timedelta(days=60)
"""How long after its newest pin a file may have been written: the releases of that time fit together."""
_OLD = datetime.timedelta(days=365)
_PYTHONS = {
    "3.6": "2016-12-23",
    "3.7": "2018-06-27",
    "3.8": "2019-10-14",
    "3.9": "2020-10-05",
    "3.10": "2021-10-04",
    "3.11": "2022-10-24",
    "3.12": "2023-10-02",
    "3.13": "2024-10-07",
    "3.14": "2025-10-07",
}
"""When each Python was released; source: PEP 494 and those of its successors."""
_EXACT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*===?\s*[^\s*,;<>=!~]+\s*(?:;.*)?\Z")


class Release(Spec):
    """A release and the day on which what would be taken of it was uploaded; None where its index does not say."""

    name: str
    version: str
    day: datetime.date | None
    by_index: bool = True
    """Whether an index has it; a file of this machine has no day either, and nobody expects one."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class AsOf(Spec):
    """The last day whose packages are looked at.

    ``automatic`` is true where nobody named the day: then all packages are taken when nothing satisfies the definition.
    """

    day: datetime.date
    reason: str
    automatic: bool

    @property
    def until(self) -> datetime.datetime:
        """The moment at which that day ends, in UTC."""
        midnight = datetime.datetime.combine(self.day, datetime.time(), datetime.UTC)
        return midnight + datetime.timedelta(days=1)

    def __str__(self) -> str:
        return f"packages as of {self.day.isoformat()}: {self.reason}"


def exact_pins(lines: Iterable[str]) -> list[str]:
    """Those of some requirement lines that name one release (``NAME==VERSION``, a marker may follow)."""
    return [line for line in lines if _EXACT.match(line)]


def released(pins: Sequence[str], target: Sequence[str], supply: Supply) -> list[Release]:
    """When the releases that lines pin were uploaded, as the index tells: that of a wheel for this Python, if any.

    Args:
        pins: Lines of :func:`exact_pins`; those that the index cannot give are passed over.
        target: uv's options for the Python.
        supply: The index.
    """
    if not pins:
        return []
    with tempfile.TemporaryDirectory(prefix="sendoff-dates-") as name:
        listed = Path(name) / "pins.in"
        listed.write_text("\n".join(pins) + "\n", encoding="utf-8")
        arguments = ["pip", "compile", str(listed), "--quiet", "--no-deps", "--no-header", "--format", "pylock.toml"]
        doing = f"looking up when {uv.packages(len(pins))} were released"
        try:
            text = uv.run([*arguments, "--no-python-downloads", *target], supply, waits_for=doing)
        except EnvironmentFailed as error:
            # One that is not there, or not for this Python, says nothing of the others.
            if len(pins) == 1 or error.context.get("reason") not in ("missing", "conflict"):
                return []
            return [one for pin in pins for one in released([pin], target, supply)]
    return [_release(package) for package in tomllib.loads(text).get("packages", []) if "version" in package]


def after(releases: Iterable[Release], why: str, *, today: datetime.date, recent: bool = False) -> AsOf | None:
    """The day that some releases tell; None when that is less than a year back, or none of them has a day.

    Args:
        releases: What is pinned, or what a model was made with.
        why: What they are, for the reason.
        today: The day on which this is asked.
        recent: Take a day within the last year, too.
    """
    dated = [(one.day, one) for one in releases if one.day is not None]
    if not dated:
        return None
    newest, release = max(dated, key=lambda pair: pair[0])
    day = newest + GRACE
    if day >= today - (datetime.timedelta() if recent else _OLD):
        return None
    return AsOf(day=day, reason=f"{GRACE.days} days after {release} ({newest}), {why}", automatic=True)


def after_python(version: str, found: AsOf, *, today: datetime.date) -> AsOf | None:
    """The day by which there were wheels for a Python that came later than what is pinned; None where it did not.

    Args:
        version: The Python's version.
        found: The day that the pins tell.
        today: The day on which this is asked.
    """
    minor = ".".join(version.split(".")[:2])
    if minor not in _PYTHONS:
        return None
    python = Release(name="Python", version=minor, day=datetime.date.fromisoformat(_PYTHONS[minor]))
    later = after([python], f"as nothing fits as of {found.day}, {found.reason}", today=today)
    return later if later is not None and later.day > found.day else None


def _release(package: dict[str, Any]) -> Release:
    # A wheel for a Python that came later is uploaded years after its release, and only then can it be installed.
    files = [*package.get("wheels", [])] or [package.get("sdist") or {}]
    days = [one["upload-time"].date() for one in files if "upload-time" in one]
    return Release(
        name=canonical_name(package["name"]),
        version=str(package["version"]),
        day=max(days, default=None),
        by_index=any(str(one.get("url", "")).startswith("http") for one in files),
    )
