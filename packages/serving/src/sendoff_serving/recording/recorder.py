"""Turns frames into rows and rows into files, and counts each record once: stored, or dropped for a reason."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..protocol import Frame
from . import layout, tables
from .day_files import DayFiles, line
from .redaction import Redaction
from .tables import NotText, Table

CAPTURE, COLLECTOR = "capture", "collector"
# Rows that wait while the disk takes none; beyond it records are dropped.
MOST_WAITING = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Context:
    """What holds for the records of one revision: ``folder`` is model and version, below the service's."""

    folder: str
    redaction: Redaction
    max_store_bytes: int


@dataclass(slots=True)
class _Record:
    """A record on its way: ``left`` files still have to take their part of it."""

    source: str
    left: int


@dataclass(slots=True)
class _Waiting:
    rows: list[bytes] = field(default_factory=list)
    records: list[_Record] = field(default_factory=list)
    limit: int = 0


class Recorder:
    """Takes records and stores them.

    Args:
        root: the service's folder.
        name: of this recorder, unique; its counts are kept under it.
        max_file_bytes: size from which a day's next file is begun.

    Attributes:
        stored: records by source.
        dropped: records by source and reason.
        error: why the disk took nothing the last time; None when it did.
        last_write: when it last did, Unix seconds.
    """

    def __init__(self, root: Path, name: str, max_file_bytes: int) -> None:
        self._root = root
        self._name = name
        self._files = DayFiles(root, max_file_bytes)
        self._contexts: dict[int, Context] = {}
        self._waiting: dict[tuple[str, str, str, str], _Waiting] = {}
        self._bytes = 0
        self._size: int | None = None
        self._counted = ""
        self.stored: Counter[str] = Counter()
        self.dropped: Counter[tuple[str, str]] = Counter()
        self.outside: dict[str, Any] = {}
        self.error: str | None = None
        self.last_write = 0.0

    @property
    def waiting(self) -> int:
        """Bytes of rows that are not written yet."""
        return self._bytes

    def context(self, number: int, content: dict[str, Any]) -> None:
        """Take the settings of a revision."""
        self._contexts[number] = Context(
            folder=str(content["folder"]),
            redaction=Redaction(tuple(content["redact"])),
            max_store_bytes=int(content["max_store_bytes"]),
        )

    def captured(self, frame: Frame) -> None:
        """Take one answered request."""
        context = self._contexts[frame.code]
        request_id, given, answer = frame.bodies
        parts = []
        try:
            for designation, body in (("inputs", given), ("predictions", answer)):
                if body:
                    value = context.redaction.body(tables.read(body))
                    parts.append((designation, context.redaction.table(tables.of(value))))
        except NotText:
            self.dropped[CAPTURE, "not_text"] += 1
            return
        folders = [(f"{context.folder}/{designation}", "data", table) for designation, table in parts]
        self._take(CAPTURE, context, frame.clock, request_id.decode(), "", folders)

    def collected(self, frame: Frame) -> None:
        """Take the rows of a collector."""
        context = self._contexts[frame.code]
        what = json.loads(frame.bodies[0])
        if what.get("reason"):
            self.dropped[COLLECTOR, str(what["reason"])] += 1
            return
        rows = json.loads(frame.bodies[1])
        table = context.redaction.table(tables.of_rows(what["columns"], context.redaction.body(rows)))
        designation = str(what["designation"])
        folder = "/".join(layout.part(str(what[name])) for name in ("model", "version", "designation"))
        stem = layout.stem(designation, str(what.get("collection", "")))
        request_id, correlation = frame.bodies[2].decode(), str(what.get("correlation", ""))
        self._take(COLLECTOR, context, frame.clock, request_id, correlation, [(folder, stem, table)])

    def fault(self, frame_source: str) -> None:
        """Count a record that could not be understood."""
        self.dropped[frame_source, "not_writable"] += 1

    def _take(
        self,
        source: str,
        context: Context,
        clock: float,
        request_id: str,
        correlation: str,
        parts: list[tuple[str, str, Table]],
    ) -> None:
        if self._bytes > MOST_WAITING:
            self.dropped[source, "write_failed"] += 1
            return
        day, when = layout.day(clock), layout.timestamp(clock)
        record = _Record(source, len(parts))
        made = []
        for folder, stem, table in parts:
            own = (layout.REQUEST_ID, layout.ROW, layout.CORRELATION, layout.TIMESTAMP)
            names = [f"feature.{name}" if name in own else name for name in table.columns]
            rows = "".join(
                line([request_id, str(index), correlation, when, *map(tables.cell, row)])
                for index, row in enumerate(table.rows)
            ).encode("utf-8", "backslashreplace")
            made.append(((folder, day, stem, line([*own, *names])), rows))
        for key, rows in made:
            waiting = self._waiting.setdefault(key, _Waiting())
            waiting.rows.append(rows)
            waiting.records.append(record)
            waiting.limit = context.max_store_bytes
            self._bytes += len(rows)
        if not parts:
            self.stored[source] += 1

    def flush(self, now: float, *, last: bool = False) -> None:
        """Write what waits; what the disk does not take waits on, unless it is the last time."""
        error = None
        for key in list(self._waiting):
            folder, day, stem, header = key
            waiting = self._waiting[key]
            data = b"".join(waiting.rows)
            try:
                full = self._store_size() + len(data) > waiting.limit
                if not full:
                    self._size = self._store_size() + self._files.append(f"{folder}/{day}", stem, header, data)
                    self.last_write = now
            except OSError as failure:
                error = f"{failure.strerror or failure}: {failure.filename or self._root}"
                self._files.close()
                if not last:
                    continue
                self._settle(waiting, "write_failed")
            else:
                self._settle(waiting, "store_full" if full else None)
            del self._waiting[key]
            self._bytes -= len(data)
        self.error = error
        self._files.close(but_day=None if last else layout.day(now))
        try:
            self._keep_counts(now)
        except OSError as failure:
            self.error = self.error or f"{failure.strerror or failure}: {failure.filename or self._root}"

    def _settle(self, waiting: _Waiting, reason: str | None) -> None:
        """Count records by what became of their rows: dropped once, or stored with their last part."""
        for record in waiting.records:
            if record.left <= 0:
                continue
            if reason is not None:
                record.left = 0
                self.dropped[record.source, reason] += 1
            else:
                record.left -= 1
                if not record.left:
                    self.stored[record.source] += 1

    def _store_size(self) -> int:
        if self._size is None:
            self._size = 0
            for folder, _, names in os.walk(self._root):
                for name in names:
                    try:
                        self._size += (Path(folder) / name).stat().st_size
                    except OSError:
                        continue
        return self._size

    def measure_again(self) -> None:
        """Look at the size of the store anew: others write to it and remove from it."""
        self._size = None

    def counts(self) -> dict[str, Any]:
        """What was counted, with what the front counted itself: ``offered`` is stored and dropped together."""
        found: dict[str, Any] = {}
        for source in (CAPTURE, COLLECTOR):
            outside = self.outside.get(source, {"stored": 0, "dropped": {}})
            dropped = Counter(outside["dropped"])
            for (name, reason), count in self.dropped.items():
                if name == source:
                    dropped[reason] += count
            stored = int(outside["stored"]) + self.stored[source]
            found[source] = {
                "offered": stored + sum(dropped.values()),
                "stored": stored,
                "dropped": dict(sorted(dropped.items())),
            }
        return found

    def _keep_counts(self, now: float) -> None:
        counts = self.counts()
        text = json.dumps(counts)
        if text == self._counted or not any(source["offered"] for source in counts.values()):
            return
        folder = self._root / layout.COUNTS
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = folder / f".{self._name}.part"
        staged.write_text(json.dumps({**counts, "time": now, "last_write": self.last_write, "error": self.error}))
        staged.replace(folder / f"{self._name}.json")
        self._counted = text
