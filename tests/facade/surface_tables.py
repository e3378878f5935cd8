"""Reads the class tables of spec/surface.md: every class with its module, constructor, attributes and members.

`python tests/facade/surface_tables.py PAGE > tests/facade/surface.json` writes what `test_signatures.py` reads.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

_HEADING = re.compile(r"^#{2,3} (?:[\d.]+ )?(\w+)[^—`\n]* — `([\w.]+)`$")
_CONSTRUCTOR = re.compile(r"Constructor: `(\w+)\((.*?)\)`")
_CUT_OFF = re.compile(r"(?:\w+\[)+\w+=None")  # a type that the page cut off within its brackets
_NAME = re.compile(r"^(\*{0,2}[A-Za-z_]\w*)(?:: (.*))?$")


def classes(page: str) -> dict[str, dict[str, Any]]:
    """Each class of the page: module, constructor's parameters, attributes, members."""
    found: dict[str, dict[str, Any]] = {}
    current: dict[str, Any] | None = None
    in_table = False
    for line in page.splitlines():
        if line.startswith("#"):
            heading = _HEADING.match(line)
            in_table = False
            current = None
            if heading:
                current = {"module": heading[2], "constructor": None, "attributes": [], "members": {}}
                found[heading[1]] = current
            continue
        if current is None:
            continue
        made = _CONSTRUCTOR.search(line)
        if made and current["constructor"] is None:
            current["constructor"] = _parameters(_split(_CUT_OFF.sub("cut=None", made[2])))
        if line.startswith("Public instance attributes:"):
            current["attributes"] = re.findall(r"`(\w+)`", line)
        if line.startswith("| member | kind |"):
            in_table = True
        elif in_table and line.startswith("|") and not line.startswith("| ---") and not line.startswith("|---"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            cells = [cell.strip(" |") for cell in cells]
            name, kind, parameters = cells[0].strip("`"), cells[1], cells[2]
            if kind in ("method", "static", "classmethod"):
                parsed = _parameters(re.findall(r"`([^`]*)`", parameters.replace("`, `'`", ",'`")))
                current["members"][name] = {"kind": kind, "parameters": parsed}
            else:
                current["members"][name] = {"kind": kind.split()[0]}
        elif in_table and not line.startswith("|"):
            in_table = False
    return found


def _split(text: str) -> list[str]:
    """Parameters at commas that are in no bracket."""
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        depth += (letter in "[({") - (letter in "])}")
        if letter == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def _parameters(parts: list[str]) -> list[dict[str, Any]]:
    read = []
    for part in parts:
        if part in ("*", "/") or (part.startswith("*") and "=" not in part):
            continue
        left, equals, default = part.partition("=")
        match = _NAME.match(left.strip().removesuffix(", optional"))
        if match is None:
            continue
        one: dict[str, Any] = {"name": match[1]}
        if match[1] == "optional" or re.match(
            "[A-Z][a-z]+[A-Z]", match[1]
        ):  # the rest of the type of the one before it
            one = read.pop()
        if equals:
            try:
                one["default"] = ast.literal_eval(default.strip())
            except (SyntaxError, ValueError):
                one["default_text"] = default.strip()
        read.append(one)
    return read


if __name__ == "__main__":
    print(json.dumps(classes(Path(sys.argv[1]).read_text(encoding="utf-8")), indent=1, sort_keys=True))
