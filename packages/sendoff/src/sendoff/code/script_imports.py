"""What an entry script imports of others, read from its text and that of the modules beside it; nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from ..spec.imports import Import

_MOST_FILES = 200
_PROVIDED = frozenset({"azureml", "azureml_inference_server_http", "sendoff_serving"})
"""Packages whose names the worker provides."""
_MOVED = ("sklearn.externals.joblib.", "sklearn.externals.six.")
"""Names that the worker finds where they are now."""


class ScriptImport(NamedTuple):
    """A module that a script imports.

    Args:
        wanted: The module, and what is taken from it.
        place: File and line.
        certain: Whether loading the script surely imports it: not in a function, nor under a condition.
    """

    wanted: Import
    place: str
    certain: bool


class ScriptImports(NamedTuple):
    """All of a script's imports, in order; ``searches`` says that it changes where modules are looked for."""

    found: list[ScriptImport]
    searches: bool


def script_imports(entry: str, files: Mapping[str, Callable[[], bytes]]) -> ScriptImports:
    """Follow an entry script's imports through the modules beside it.

    What stands in a ``try`` is left out: the script has thought of its failing.

    Args:
        entry: The script's path among the files.
        files: The source's files, by path, each read when it is needed.
    """
    bases = list(dict.fromkeys(["", _folder(entry)]))
    waiting, seen = [(entry, True)], {entry}
    found: list[ScriptImport] = []
    searches = False
    while waiting and len(seen) <= _MOST_FILES:
        path, certain = waiting.pop(0)
        try:
            content = files[path]()
            tree = ast.parse(content)
        except (SyntaxError, ValueError, RecursionError):
            continue
        searches = searches or b"sys.path" in content or b"addsitedir" in content
        for node, sure in _imports(tree.body, certain, in_entry=path == entry):
            for module, names in _named(node, path):
                own = _beside(module, names, bases if not getattr(node, "level", 0) else [""], files)
                if own:
                    waiting += [(one, sure) for one in own if one not in seen]
                    seen |= own
                elif not getattr(node, "level", 0) and not _provided(module, names):
                    place = f"{path}, line {node.lineno}"
                    found.append(ScriptImport(Import(module=module, names=names), place, sure))
    return ScriptImports(found, searches)


def _imports(
    body: Iterable[ast.stmt], certain: bool, *, in_entry: bool
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, certain
        elif isinstance(node, ast.With):
            yield from _imports(node.body, certain, in_entry=in_entry)
        elif isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.dump(node.test):
                yield from _imports([*node.body, *node.orelse], False, in_entry=in_entry)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and in_entry and node.name in ("init", "run"):
            yield from _imports(node.body, False, in_entry=False)


def _named(node: ast.Import | ast.ImportFrom, path: str) -> Iterator[tuple[str, list[str]]]:
    """Modules and the names taken from each; relative ones by their path from the source's root."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, []) for alias in node.names)
        return
    names = [alias.name for alias in node.names if alias.name != "*"]
    above = path.split("/")[: -node.level] if node.level else []
    yield ".".join([*above, *([node.module] if node.module else [])]), names


def _beside(module: str, names: list[str], bases: list[str], files: Mapping[str, object]) -> set[str]:
    """The files of the source that an import loads; empty where the module is somebody else's."""
    parts = module.split(".") if module else []
    for base in bases:
        prefix = f"{base}/" if base else ""
        first = prefix + "/".join(parts[:1])
        if parts and f"{first}.py" not in files and not any(path.startswith(f"{first}/") for path in files):
            continue
        loaded = ["/".join(parts[:count]) for count in range(len(parts) + 1)]
        loaded += ["/".join([*parts, name]) for name in names]
        places = [f"{prefix}{one}{end}" for one in loaded if one for end in (".py", "/__init__.py")]
        return {place for place in places if place in files} or {first}.intersection(files)
    return set()


def _provided(module: str, names: list[str]) -> bool:
    """Whether the worker itself gives the module, or finds it under the name that it has now."""
    if module.partition(".")[0] in _PROVIDED:
        return True
    return any(one.startswith(_MOVED) for one in (f"{module}.", *(f"{module}.{name}." for name in names)))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
