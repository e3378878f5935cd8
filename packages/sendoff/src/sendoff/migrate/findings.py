"""What was found in a folder, line by line."""

from __future__ import annotations

from collections import Counter

from ..spec.parse import Spec

RUNS, MAPPED, UNSUPPORTED = "runs", "mapped", "unsupported"
VERDICTS = (RUNS, MAPPED, UNSUPPORTED)


class Finding(Spec):
    """One use of SDK v1: where, what, and what becomes of it.

    ``line`` counts from 1, in a notebook within its ``cell`` (from 1). ``verdict`` is runs, mapped or unsupported.
    """

    line: int
    what: str
    verdict: str
    message: str = ""
    cell: int | None = None


class FileReport(Spec):
    """A file that uses SDK v1. ``kind`` is script, entry script, notebook, configuration or commands."""

    path: str
    kind: str
    findings: list[Finding]
    problem: str = ""
    """Why the file could not be read; its findings are then incomplete."""

    @property
    def verdict(self) -> str:
        """The worst of its findings."""
        return max((finding.verdict for finding in self.findings), key=VERDICTS.index, default=RUNS)


class Report(Spec):
    """A folder: every file that uses SDK v1, and how many were looked into."""

    root: str
    files: list[FileReport]
    looked_into: int

    @property
    def counts(self) -> dict[str, int]:
        """How many findings have each verdict."""
        found = Counter(finding.verdict for file in self.files for finding in file.findings)
        return {verdict: found[verdict] for verdict in VERDICTS}

    @property
    def verdict(self) -> str:
        """The worst of its files."""
        return max((file.verdict for file in self.files), key=VERDICTS.index, default=RUNS)
