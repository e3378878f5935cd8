"""pip's requirements files: continuations joined, ``-r`` and ``-c`` followed and inlined."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import InvalidInput
from .environment_packages import parse_pip_line, redact
from .parse import read_text

_MAX_INCLUDES = 20


def requirements_from_text(text: str, *, where: str, base: Path, _chain: tuple[str, ...] = ()) -> list[str]:
    """The requirement lines and options of a requirements file's text, includes and constraints inlined.

    Args:
        text: The file's text.
        where: Its name in errors.
        base: The folder that includes and local archives are relative to.

    Raises:
        InvalidInput: Names ``where`` and the line.
    """
    found: list[str] = []
    for number, line in _logical_lines(text.removeprefix("\ufeff")):
        found += pip_lines(line, where, f"line {number}", base, _chain)
    return found


def pip_lines(line: str, where: str, field: str, base: Path | None, chain: tuple[str, ...]) -> list[str]:
    kind, text = parse_pip_line(line, where=where, field=field, base=base, option_values=base is not None)
    if kind == "include":
        assert base is not None
        return _include(text, where, field, base, chain)
    if kind == "constraint":
        assert base is not None
        if re.match(r"[A-Za-z0-9._-]+\s*[<>=!~]", text):
            return [f"--constraint {parse_pip_line(text, where=where, field=field)[1]}"]
        lines = _include(text, where, field, base, chain)
        return [one if one.startswith("-") else f"--constraint {one}" for one in lines]
    return [text] if text else []


def _include(target: str, where: str, field: str, base: Path, chain: tuple[str, ...]) -> list[str]:
    def fail(problem: str, hint: str) -> InvalidInput:
        return InvalidInput(f"{where}: {field}: {redact(target)!r} {problem}", hint=hint, where=where, field=field)

    if target.startswith("file:///"):
        target = unquote(urlsplit(target).path)
    if "://" in target:
        raise fail("is an address; only files can be included", "Download it beside this file and name the copy.")
    try:
        path = (base / target).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise fail(f"is not a path ({error})", "Give a path relative to this file.") from None
    if str(path) in chain or len(chain) >= _MAX_INCLUDES:
        raise fail("includes itself", "Remove the -r that leads back to the file.")
    text = read_text(path, f"requirements file (included by {where}, {field})")
    return requirements_from_text(text, where=str(path), base=path.parent, _chain=(*chain, str(path)))


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers, continuations joined (a comment line ends a continuation, as in pip)."""
    found: list[tuple[int, str]] = []
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not pending:
            start = number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            pending += line[:-1] + " "
            continue
        found.append((start, pending + ("" if pending and line.lstrip().startswith("#") else line)))
        pending = ""
    if pending:
        found.append((start, pending))
    return found
