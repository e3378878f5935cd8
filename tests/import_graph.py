"""Which file of a package imports which, read off the sources: for tests that hold the directions of rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


class Graph:
    """The imports within one package, also those inside functions.

    Args:
        package: the package's folder; its name is the package's.

    Attributes:
        runs: by module, the modules of the package that it imports when it runs.
        types: the same for what it imports for types alone (``if TYPE_CHECKING:``).
    """

    def __init__(self, package: Path) -> None:
        self._names = {_name(package, file): file for file in package.rglob("*.py")}
        self.runs: dict[str, set[str]] = {}
        self.types: dict[str, set[str]] = {}
        for name, file in self._names.items():
            inside = name if file.name == "__init__.py" else name.rpartition(".")[0]
            found = [
                (self._known(target) - {name}, for_types)
                for node, for_types in _imports(ast.parse(file.read_text()), False)
                for target in _targets(node, inside)
            ]
            self.runs[name] = {one for names, for_types in found for one in names if not for_types}
            self.types[name] = {one for names, for_types in found for one in names if for_types}

    def _known(self, target: str) -> set[str]:
        """Return the module of the package that a dotted name is, or is a name in; none for another package's."""
        while target and target not in self._names:
            target = target.rpartition(".")[0]
        return {target} - {""}

    def circles(self) -> list[list[str]]:
        """Return the modules that lead back to themselves when they run, each circle once (Tarjan 1972)."""
        number: dict[str, int] = {}
        lowest: dict[str, int] = {}
        stack: list[str] = []
        found = []

        def visit(name: str) -> None:
            number[name] = lowest[name] = len(number)
            stack.append(name)
            for other in self.runs[name]:
                if other not in number:
                    visit(other)
                if other in stack:
                    lowest[name] = min(lowest[name], lowest[other])
            if lowest[name] == number[name]:
                circle = stack[stack.index(name) :]
                del stack[stack.index(name) :]
                if len(circle) > 1:
                    found.append(sorted(circle))

        for name in self.runs:
            if name not in number:
                visit(name)
        return found


def _name(package: Path, file: Path) -> str:
    return ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")


def _imports(node: ast.AST, for_types: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, for_types
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        for child in node.body:
            yield from _imports(child, True)
        for child in node.orelse:
            yield from _imports(child, for_types)
        return
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, for_types)


def _targets(node: ast.Import | ast.ImportFrom, inside: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    above = inside.split(".")[: len(inside.split(".")) - node.level + 1] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    yield from (f"{base}.{alias.name}" for alias in node.names)
