"""``.amlignore`` and ``.gitignore``: which files of a source folder stay at home (git's pattern rules)."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InvalidInput

NEVER_UPLOADED = frozenset({".git", "__pycache__"})
FILE_NAMES = (".amlignore", ".gitignore")


class IgnoreRules:
    """Patterns of one ignore file; the last one that matches a path decides.

    Args:
        text: The file's content. ``#`` starts a comment, ``!`` takes a path in again, a trailing ``/`` means folders
            only, a ``/`` elsewhere ties the pattern to the file's own folder, ``**`` spans folders.
    """

    def __init__(self, text: str = "") -> None:
        self._rules = [rule for line in text.splitlines() if (rule := _rule(line)) is not None]

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Whether a path is ignored; its parent folders are taken as not ignored.

        Args:
            path: Relative to the ignore file's folder, ``/`` between segments.
            folder: Whether the path is a folder.
        """
        verdict = False
        for pattern, negated, folders_only in self._rules:
            if (folder or not folders_only) and pattern.match(path):
                verdict = not negated
        return verdict


def read_rules(folder: Path) -> tuple[IgnoreRules, str | None]:
    """Rules of the folder's ``.amlignore``, else of its ``.gitignore``, and the name of the file used."""
    for name in FILE_NAMES:
        path = folder / name
        if path.is_file():
            try:
                return IgnoreRules(path.read_text(encoding="utf-8-sig", errors="surrogateescape")), name
            except OSError as error:
                raise InvalidInput(f"ignore file {path} cannot be read: {error.strerror}", where=str(path)) from None
    return IgnoreRules(), None


def _rule(line: str) -> tuple[re.Pattern[str], bool, bool] | None:
    line = line.rstrip("\r\n")
    if not line.endswith("\\ "):
        line = line.rstrip(" ")
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    if negated:
        line = line[1:]
    folders_only = line.endswith("/")
    line = line.rstrip("/")
    if not line:
        return None
    anchored = "/" in line
    body = _regex(line.removeprefix("/"))
    return re.compile(("" if anchored else "(?:.*/)?") + body + r"\Z", re.DOTALL), negated, folders_only


def _regex(glob: str) -> str:
    out, at = "", 0
    while at < len(glob):
        if glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/"):
            out, at = out + "(?:.*/)?", at + 3
        elif glob.startswith("/**", at) and at + 3 == len(glob):
            out, at = out + "/.+", at + 3
        elif glob[at] == "*":
            out += "[^/]*"
            while at < len(glob) and glob[at] == "*":
                at += 1
        elif glob[at] == "?":
            out, at = out + "[^/]", at + 1
        elif glob[at] == "[" and (end := glob.find("]", at + 2)) > 0:
            inside = glob[at + 1 : end].replace("\\", "\\\\").replace("[", r"\[")
            inside = "^" + inside[1:] if inside[:1] in "!^" else inside
            out, at = out + f"(?!/)[{inside}]", end + 1
        elif glob[at] == "\\" and at + 1 < len(glob):
            out, at = out + re.escape(glob[at + 1]), at + 2
        else:
            out, at = out + re.escape(glob[at]), at + 1
    try:
        re.compile(out)
    except re.error:
        return re.escape(glob)
    return out
