"""``.amlignore`` and ``.gitignore``: which files of a source folder stay at home (git's pattern rules)."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InvalidInput

NEVER_UPLOADED = frozenset({".git", "__pycache__"})
FILE_NAMES = (".amlignore", ".gitignore")

_NEVER = "(?!)"
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": " \\t\\n\\r\\f\\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
"""What ``[:name:]`` holds: git compares bytes, in no language."""


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
        verdict, path = False, _bytes(path)
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


def _bytes(text: str) -> str:
    """A character for each byte, since git's ``?`` and ``[^a]`` stand for a byte of a name."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _rule(line: str) -> tuple[re.Pattern[str], bool, bool] | None:
    line = _bytes(line.rstrip("\r\n"))
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
    """A pattern as a regular expression; what git takes for malformed matches nothing there, nor here."""
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
        elif glob[at] == "[":
            one_of, at = _one_of(glob, at + 1)
            out += one_of
        elif glob[at] == "\\":
            out, at = out + (re.escape(glob[at + 1]) if at + 1 < len(glob) else _NEVER), at + 2
        else:
            out, at = out + re.escape(glob[at]), at + 1
    return out


def _one_of(glob: str, at: int) -> tuple[str, int]:
    """What stands in brackets, by the rules of git's ``wildmatch.c``; the expression and where the pattern goes on."""
    negated = glob[at : at + 1] in ("!", "^")
    first = at = at + negated
    parts: list[str] = []
    before = ""  # what a hyphen may make a range with
    while glob[at : at + 1] != "]" or at == first:
        if at >= len(glob):
            return _NEVER, at
        named = re.compile(r"\[:([^\]]*):\]").match(glob, at)
        if named is not None:
            if named[1] not in _CLASSES:
                return _NEVER, len(glob)
            parts.append(_CLASSES[named[1]])
            before, at = "", named.end()
            continue
        is_range = glob[at] == "-" and before != "" and glob[at + 1 : at + 2] not in ("", "]")
        at += is_range
        at += glob[at] == "\\"
        if at >= len(glob):
            return _NEVER, at
        if is_range:
            if before <= glob[at]:  # one that is the wrong way round holds its start alone
                parts.append(f"{re.escape(before)}-{re.escape(glob[at])}")
            before = ""
        else:
            parts.append(re.escape(glob[at]))
            before = glob[at]
        at += 1
    return f"(?!/)[{'^' if negated else ''}{''.join(parts)}]", at + 1
