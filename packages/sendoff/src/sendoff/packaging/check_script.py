"""Pre-flight of an entry script, without running it: does it parse, are ``init`` and ``run`` there."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import InvalidInput
from ..spec.environment import EnvironmentSpec

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
_PYTHON = re.compile(r"python\s*(?:==?|>=|~=)?\s*(?P<minor>\d+\.\d+)")
HOOKS = frozenset({"preprocess", "postprocess"})
"""What stands in place of init() and run() beside a model that is served without code (``frameworks``)."""
_CALLS_THAT_DEFINE = frozenset({"globals", "exec", "setattr", "vars"})


def python_of(environment: EnvironmentSpec) -> str | None:
    """The Python that an environment names, as ``3.6``; None when only building it would tell."""
    if environment.python.user_managed_dependencies:
        return OURS if environment.python.interpreter_path == sys.executable else None
    for package in environment.python.conda_packages:
        found = _PYTHON.match(package.split("::")[-1].strip())
        if found:
            return found["minor"]
    return None


def check_script(path: str, content: bytes, *, python: str | None = None) -> list[str]:
    """Find what would surely fail when the script is loaded.

    Args:
        path: What the script is called in an error.
        content: The script's bytes.
        python: ``3.6`` and the like, the Python that will run it; None when that is not known.

    Returns:
        Notes on what could not be decided.

    Raises:
        InvalidInput: The script does not parse on its own Python, or surely defines no ``init`` or no ``run``; the
            message has the line.
    """
    tree = _parsed(content)
    if isinstance(tree, _Wrong):
        if python != OURS:
            return []  # another grammar: the pre-flight asks that Python (deployments.script_grammar)
        raise syntax_error(path, tree.what, line=tree.line, text=tree.text)
    names, certain = _names(tree)
    missing = [name for name in ("init", "run") if name not in names]
    if not missing or (len(missing) == 2 and names & HOOKS):
        return []
    listed = " and ".join(f"{name}()" for name in missing)
    if not certain:
        return [f"Entry script {path} may lack {listed}: star imports or dynamic code hide what it defines."]
    raise InvalidInput(
        f"entry script {path} defines no {listed}",
        hint="An entry script defines init(), called once, and run(data), called for each request.",
        where=path,
        file=path,
        missing=missing,
    )


def ours_says(path: str, content: bytes, *, python: str | None) -> list[str]:
    """A note where our own Python does not take a script that another one will run, which could not be asked."""
    wrong = _parsed(content)
    if not isinstance(wrong, _Wrong):
        return []
    at = f", line {wrong.line}" if wrong.line else ""
    aim = f"Python {python}" if python else "its own Python"
    return [
        f"Entry script {path}{at} does not parse on Python {OURS} ({wrong.what}); whether it does on "
        f"{aim}, which could not be asked here, shows when it is loaded."
    ]


def syntax_error(path: str, what: str, *, line: int | None, text: str, on: str = "") -> InvalidInput:
    """The error for a script that does not parse.

    Args:
        path: What the script is called.
        what: What Python says.
        line: Where.
        text: The line itself.
        on: The Python that says it; empty for ours.
    """
    at = f", line {line}" if line else ""
    shown = f": {text.strip()}" if text.strip() else ""
    aim = f" (on {on})" if on else ""
    return InvalidInput(
        f"entry script {path}{at}: {what}{shown}{aim}",
        hint="Correct the line, then deploy again.",
        where=path,
        file=path,
        line=line,
    )


def has_hooks_alone(content: bytes) -> bool:
    """Whether a script has preprocess() or postprocess(), and neither init() nor run()."""
    tree = _parsed(content)
    if isinstance(tree, _Wrong):
        return False
    names, _ = _names(tree)
    return bool(names & HOOKS) and not names & {"init", "run"}


def names_of(content: bytes) -> set[str] | None:
    """The names that a script defines or imports at its top level; None where they cannot all be known."""
    tree = _parsed(content)
    if isinstance(tree, _Wrong):
        return None
    names, certain = _names(tree)
    return names if certain else None


class _Wrong(NamedTuple):
    """Why a script does not parse on our Python, and where."""

    what: str
    line: int | None
    text: str


def _parsed(content: bytes) -> ast.Module | _Wrong:
    try:
        return ast.parse(content)
    except SyntaxError as error:
        return _Wrong(error.msg or str(error), error.lineno, error.text or "")
    except ValueError as error:  # a NUL in it
        return _Wrong(str(error), None, "")


def _names(tree: ast.Module) -> tuple[set[str], bool]:
    """Names bound at the module's top level, and whether that is all of them."""
    names: set[str] = set()
    certain = True
    for node in _top_level(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            certain = certain and "*" not in bound
            names |= bound
        else:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    names.add(inner.id)
    for part in ast.walk(tree):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in _CALLS_THAT_DEFINE:
            certain = False
        if isinstance(part, ast.Global):
            names |= set(part.names)
    # A generated driver wraps the real script (spec/behaviour.md sec. 4): its functions are elsewhere.
    return names, certain and "driver_module" not in names


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from _top_level(getattr(node, field, []))
        for handler in getattr(node, "handlers", []):
            yield from _top_level(handler.body)
