"""Which file of a package imports which, read from the source: what the tests of the house and its picture stand on."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
CONTROL = REPOSITORY / "packages" / "sendoff" / "src" / "sendoff"
DATA = REPOSITORY / "packages" / "serving" / "src" / "sendoff_serving"


@dataclass(frozen=True)
class File:
    """A module and the modules of its own package that it imports.

    ``runs`` are imports that happen when the file is loaded or one of its functions is called; ``types`` those that
    only a type checker does; ``named`` are modules that a string names, as a table or a command line does.
    """

    name: str
    path: Path
    runs: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)

    @property
    def all(self) -> set[str]:
        """Every import, for types too."""
        return self.runs | self.types


@functools.cache
def files(package: Path) -> Mapping[str, File]:
    """Every file of a package by its dotted name.

    Args:
        package: The package's folder.
    """
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = File(name, path)
    for file in found.values():
        for only_types, node in _imports(ast.parse(file.path.read_text(encoding="utf-8"))):
            kept = file.types if only_types else file.runs
            kept.update(one for one in _names(file, node, found) if one != file.name)
        file.types.difference_update(file.runs)
        file.named.update(_strings(file, found))
    return found


def room_of(name: str, *, deep: frozenset[str] = frozenset()) -> str:
    """The room of a module: the part below its package; one level deeper for rooms in ``deep``."""
    parts = name.split(".")[1:]
    if not parts:
        return ""
    if parts[0] in deep and len(parts) > 1:
        return ".".join(parts[:2])
    return parts[0]


def circles(package: Path) -> list[list[str]]:
    """Files that import each other at run time, also inside functions: the members of each circle, sorted."""
    known = files(package)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    # Tarjan's strongly connected components: every circle lies in one, and every larger one has a circle.
    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(known[name].runs):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            members = stack[at:]
            del stack[at:]
            if len(members) > 1:
                found.append(sorted(members))

    for name in known:
        if name not in index:
            visit(name)
    return found


def _imports(node: ast.AST, only_types: bool = False) -> Iterator[tuple[bool, ast.Import | ast.ImportFrom]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for one in child.body:
                yield from _imports(ast.Module([one], []), True)
            for one in child.orelse:
                yield from _imports(ast.Module([one], []), only_types)
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield only_types, child
        yield from _imports(child, only_types)


def _names(file: File, node: ast.Import | ast.ImportFrom, known: Mapping[str, File]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
        return
    parts = file.name.split(".") if file.path.name == "__init__.py" else file.name.split(".")[:-1]
    base = parts[: len(parts) - node.level + 1] if node.level else []
    module = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
    for alias in node.names:
        # A name is a module of the package, or lives in the package's own file.
        inner = f"{module}.{alias.name}"
        if inner in known:
            yield inner
        elif module in known:
            yield module


def _strings(file: File, known: Mapping[str, File]) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            name = node.value.removesuffix(".__main__")
            if name in known and name != file.name:
                yield name
