"""What the process target keeps in a service's run folder, ``home/run/<uid>/``.

``wanted.json`` says what has to run, ``front-<n>.json`` which fronts were started for it, ``good.json`` the revision
that last answered, ``crashes.json`` how often a front has ended on its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple, TypeVar

from ... import files
from ...processes import Identity, boot_id
from ..run_folder import RunFolder

SCHEMA = 1

R = TypeVar("R", "ProcessRecord", "Front", "Good", "Crashes")


class Good(NamedTuple):
    """A revision that has answered: what a crashed front is restarted with, even when a newer one failed to load."""

    revision: int
    bundle: str
    python: str
    memory_limit_mb: int | None = None


class ProcessRecord(NamedTuple):
    """What has to run. ``boot``: the boot in which it was asked for; ``command`` replaces the server in tests."""

    uid: str
    name: str
    workspace: str
    revision: int
    bundle: str
    python: str
    host: str
    port: int
    chosen_port: bool
    drain_seconds: float
    boot: str
    environ: dict[str, str]
    command: list[str] | None = None
    removing: bool = False
    auth_file: str | None = None
    data_folder: str | None = None
    data_scope: str = ""
    memory_limit_mb: int | None = None


class Front(NamedTuple):
    """A front that was started. ``pid`` 0: about to be; ``token`` finds its processes. Times are monotonic."""

    number: int
    token: str
    host: str
    port: int
    control: str
    revision: int
    boot: str
    started: float
    pid: int = 0
    start: str = ""
    ready: float | None = None
    stopping: float | None = None

    @property
    def process(self) -> Identity:
        """The front's process."""
        return Identity(self.pid, self.start)


class Crashes(NamedTuple):
    """Fronts in a row that ended on their own; the next is started at ``next_start`` (monotonic)."""

    attempts: int = 0
    next_start: float = 0.0
    reason: str = ""
    boot: str = ""


class ProcessFolder(RunFolder):
    """A service's folder with its records. It may not exist."""

    def wanted(self) -> ProcessRecord | None:
        """What has to run, if anything."""
        return _load(self.path / "wanted.json", ProcessRecord)

    def fronts(self) -> list[Front]:
        """Every front on record, oldest first; their processes may be gone."""
        try:
            files = [path for path in self.path.iterdir() if path.match("front-*.json")]
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = [_load(path, Front) for path in files]
        return sorted(front for front in found if front is not None)

    def good(self) -> Good | None:
        """The revision that last answered."""
        return _load(self.path / "good.json", Good)

    def crashes(self) -> Crashes:
        """The row of crashes; empty when it belongs to an earlier boot."""
        found = _load(self.path / "crashes.json", Crashes)
        return found if found and found.boot == boot_id() else Crashes()

    def write(self, record: ProcessRecord | Front | Good | Crashes) -> None:
        """Write one record so that a reader sees the old or the new one, also after a crash."""
        names = {ProcessRecord: "wanted.json", Good: "good.json", Crashes: "crashes.json"}
        name = f"front-{record.number}.json" if isinstance(record, Front) else names[type(record)]
        # Fronts and crashes mean nothing after a power cut; what was wanted must survive it.
        lasting = isinstance(record, ProcessRecord | Good)
        files.write_json(self.path / name, {"schema": SCHEMA, **record._asdict()}, lasting=lasting)

    def forget(self, front: Front) -> None:
        """Drop a front's record and its socket."""
        files.remove(Path(front.control))
        files.remove(self.path / f"front-{front.number}.json")

    def forget_crashes(self) -> None:
        """Start counting anew."""
        files.remove(self.path / "crashes.json")


def _load(path: Path, kind: type[R]) -> R | None:
    try:
        values = json.loads(path.read_bytes())
        if values.pop("schema") != SCHEMA:
            return None
        return kind(**values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
