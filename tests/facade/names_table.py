"""Writes `sendoff/migrate/names.json`: the modules of sendoff-azureml with their names.

`python tests/facade/names_table.py > packages/sendoff/src/sendoff/migrate/names.json`
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

FACADE = Path(__file__).parents[2] / "packages" / "azureml" / "src"


def table() -> dict[str, dict[str, str]]:
    """Each module with its names and where they are from."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(FACADE.rglob("*.py")):
        if file.name == "_names.py":
            continue
        module = ".".join(file.relative_to(FACADE).with_suffix("").parts).removesuffix(".__init__")
        found[module] = {
            str(keyword.arg): str(keyword.value.value)  # type: ignore[attr-defined]
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "take"
            for keyword in node.keywords
        }
    return found


if __name__ == "__main__":
    print(json.dumps(table(), indent=0, sort_keys=True))
