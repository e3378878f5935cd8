"""Whether an entry script parses on the Python that will run it: that Python is asked, where it is on this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..packaging.check_script import OURS, ours_says, python_of, syntax_error
from ..spec.environment import EnvironmentSpec
from ..spec.inference import Code
from .source_files import entry_script

if TYPE_CHECKING:
    from ..rooms import Rooms

_SECONDS = 15.0
_COMPILE = """
import json, sys
said = {"version": "%d.%d" % sys.version_info[:2]}
try:
    compile(sys.stdin.buffer.read(), "score", "exec", 0, True)
except (SyntaxError, ValueError) as error:
    said["error"] = getattr(error, "msg", None) or str(error)
    said["line"] = getattr(error, "lineno", None)
    said["text"] = getattr(error, "text", None)
print(json.dumps(said))
"""
"""Runs on Python 3.6 and newer; compiling runs nothing of the script."""


class _Said(NamedTuple):
    version: str
    error: str = ""
    line: int | None = None
    text: str = ""


def check_grammar(rooms: Rooms, code: Code, *, images: bool) -> list[str]:
    """Compile the entry script with the Python that will run it, or one of the same grammar.

    Args:
        rooms: Where the script and the interpreters are.
        code: Script and environment.
        images: Whether it runs in an image: an interpreter that the user manages is not of this machine then.

    Returns:
        A note where that Python cannot be asked and ours does not take the script.

    Raises:
        InvalidInput: It does not parse; the message has file, line and the error's text.
    """
    spec, source = code.environment, code.source
    python = python_of(spec)
    if python == OURS:
        return []  # check_script has seen it
    content = entry_script(rooms, source)
    interpreter = _interpreter(rooms, spec, python, images=images)
    said = _ask(interpreter, content) if interpreter else None
    if said is None:
        return ours_says(source.entry_script, content, python=python)
    if not said.error:
        return []
    where = f"Python {said.version}, which runs it" + (f" ({interpreter})" if python is None else "")
    raise syntax_error(source.entry_script, said.error, line=said.line, text=said.text, on=where)


def _interpreter(rooms: Rooms, spec: EnvironmentSpec, python: str | None, *, images: bool) -> str | None:
    if spec.python.user_managed_dependencies:
        if images:
            return None
        return shutil.which(Path(spec.python.interpreter_path).expanduser())
    if python is None:
        return None
    for one in rooms.environments.interpreters():
        if not one.problem and one.version.split(".")[:2] == python.split(".")[:2]:
            return one.path
    return None


def _ask(interpreter: str, content: bytes) -> _Said | None:
    """What a Python says of a script; None where it cannot be asked, which the environment's step tells."""
    try:
        done = subprocess.run(
            [interpreter, "-I", "-S", "-W", "ignore", "-c", _COMPILE],
            input=content,
            capture_output=True,
            timeout=_SECONDS,
            cwd=Path(interpreter).anchor or None,
        )
        said = json.loads(done.stdout)
        return _Said(said["version"], said.get("error") or "", said.get("line"), said.get("text") or "")
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
