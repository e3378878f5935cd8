"""Look through a model's files for pickles and say what they would import. Nothing is ever unpickled."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..spec.model import ManifestFile, PickleFinding, ScanReport
from ..spec.parse import Spec
from ..store.blobs import BlobStore
from .archives import Sink, looks_like_pickle, search
from .detect import Detected
from .imports import verdict
from .opcodes import Budget, OverBudget, Unreadable

_ORDER = ("none", "safe", "unknown", "unreadable", "dangerous")
_MOST_FINDINGS = 200
_MOST_BYTES = 8 << 30


class Scanned(Spec):
    """What a scan gives: the report, and the framework versions that the files state."""

    report: ScanReport
    detected: dict[str, str] = {}
    root: str | None = None
    """The class of the object that the one pickle of a manifest of one file holds; None where it is of none."""


def scan(
    files: Sequence[ManifestFile], blobs: BlobStore, *, seconds: float = 20.0, max_bytes: int = _MOST_BYTES
) -> Scanned:
    """Scan a manifest's files by their opcodes.

    Args:
        files: The manifest; its blobs are in the store.
        blobs: Where they are.
        seconds: Time bound for all files together.
        max_bytes: Bound for the bytes read, decompressed ones counted.

    Returns:
        The worst verdict of all files: ``none`` (no pickle), ``safe``, ``unknown``, ``unreadable`` (a pickle that
        cannot be followed to its end, or the bounds were reached) or ``dangerous``.
    """
    budget = Budget(time.monotonic() + seconds, time.monotonic, max_bytes)
    detected = Detected()
    findings: dict[tuple[str, str], PickleFinding] = {}
    worst, detail = "none", ""
    seen: set[str] = set()
    # Files whose name says pickle come first, so that a bound that is reached leaves the others out.
    for file in sorted(files, key=lambda file: (not looks_like_pickle(file.path), file.path)):
        if file.digest in seen:
            continue
        seen.add(file.digest)
        found, reason = _scan_file(file, blobs, budget, detected, findings)
        if reason and not detail:
            detail = f"{file.path}: {reason}"
        worst = max(worst, found, key=_ORDER.index)
    shown = sorted(findings.values(), key=lambda found: (-_ORDER.index(found.verdict), found.path, found.imported))
    report = ScanReport(verdict=worst, findings=shown[:_MOST_FINDINGS], detail=detail)
    root = detected.roots[0] if len(files) == 1 and len(detected.roots) == 1 else None
    return Scanned(report=report, detected=detected.versions, root=root)


def _scan_file(
    file: ManifestFile,
    blobs: BlobStore,
    budget: Budget,
    detected: Detected,
    findings: dict[tuple[str, str], PickleFinding],
) -> tuple[str, str]:
    imported: list[str] = []
    known: set[str] = set()

    def on_import(name: str) -> None:
        if name not in known:
            known.add(name)
            imported.append(name)

    sink = Sink(on_import, detected, budget)
    reason = ""
    try:
        budget.check_time()
        with blobs.peek(file.digest) as stream:
            search(stream, file.path, sink)
    except (Unreadable, OverBudget) as error:
        reason = str(error)
    except RecursionError:
        reason = "its pickles lie too deep in each other"
    worst = "unreadable" if reason else "safe" if sink.pickles else "none"
    for name in imported:
        found = verdict(name)
        findings[file.path, name] = PickleFinding(path=file.path, imported=name, verdict=found)
        worst = max(worst, found, key=_ORDER.index)
    return worst, reason
