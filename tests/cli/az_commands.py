"""Reads the command table of spec/surface.md sec. 7: each `az ml` command with its options.

`python tests/cli/az_commands.py PAGE > tests/cli/az_commands.json` writes what `test_az_commands.py` reads.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path


def commands(page: str) -> dict[str, dict[str, list[list[str]]]]:
    """Options by command: required ones and the others, each with all its spellings."""
    found: dict[str, dict[str, list[list[str]]]] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        match = re.match(r"`az ml ([\w -]+)`", cells[0])
        if not line.startswith("| `az ml ") or match is None:
            continue
        cells += [""] * 3
        found[match[1]] = {"required": _options(cells[1]), "optional": _options(cells[2])}
    return found


def _options(cell: str) -> list[list[str]]:
    return [text.split("/") for text in re.findall(r"`([^`]+)`", cell) if text.startswith("-")]


if __name__ == "__main__":
    print(json.dumps(commands(Path(sys.argv[1]).read_text(encoding="utf-8")), indent=0, sort_keys=True))
