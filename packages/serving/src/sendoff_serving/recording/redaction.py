"""Values that must not be stored, by name or path (docs/data-collection.md).

A rule is the name of a member or column at any depth (``ssn``), or a path from the top of the body
(``$.customer.ssn``, ``$.data[*].ssn``, ``$.data[*][3]``). Names are compared without regard to case.
"""

from __future__ import annotations

import re
from typing import Any

from .tables import Table

MARK = "[redacted]"
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\*|\d+|'[^']*'|\"[^\"]*\")\]")


class Redaction:
    """Takes values out of bodies and tables.

    Args:
        rules: names and paths.

    Raises:
        ValueError: a path cannot be read; the text names it.
    """

    def __init__(self, rules: tuple[str, ...]) -> None:
        self._names = {rule.lower() for rule in rules if not rule.startswith("$")}
        self._paths = [path(rule) for rule in rules if rule.startswith("$")]

    def __bool__(self) -> bool:
        return bool(self._names or self._paths)

    def body(self, value: Any) -> Any:
        """A JSON value without what the rules name."""
        if self._names:
            value = self._without_names(value)
        for steps in self._paths:
            value = _without(value, steps)
        return value

    def table(self, table: Table) -> Table:
        """A table without the columns' values that the rules name; a dotted column is known by its parts too."""
        hidden = {
            index
            for index, column in enumerate(table.columns)
            if column.lower() in self._names or any(part in self._names for part in column.lower().split("."))
        }
        if not hidden:
            return table
        rows = [[MARK if index in hidden else value for index, value in enumerate(row)] for row in table.rows]
        return Table(table.columns, rows)

    def _without_names(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: MARK if str(name).lower() in self._names else self._without_names(item)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._without_names(item) for item in value]
        return value


def path(rule: str) -> list[str | int]:
    """The steps of a path: names, indices, and ``*`` for all.

    Raises:
        ValueError: it is no path.
    """
    steps: list[str | int] = []
    at = 1
    while at < len(rule):
        found = _STEP.match(rule, at)
        if found is None:
            break
        name, inner = found.group(1), found.group(2)
        steps.append(name if name is not None else int(inner) if inner.isdigit() else inner.strip("'\""))
        at = found.end()
    if not steps or at < len(rule):
        raise ValueError(f"{rule!r} is no path such as $.data[*].name")
    return steps


def _without(value: Any, steps: list[str | int]) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        return {
            name: (_without(item, rest) if rest else MARK)
            if step == "*" or str(name).lower() == str(step).lower()
            else item
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [
            (_without(item, rest) if rest else MARK) if step in ("*", index) else item
            for index, item in enumerate(value)
        ]
    return value
