"""Draws the rooms of the two distributions and who imports whom: ``make house`` writes ``docs/house.svg``.

A room stands above everything that it imports. An arrow that others imply is left out: where A imports B and B imports
C, A may use C too, and `docs/architecture.md` has the whole table.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path

import imports

PICTURE = imports.REPOSITORY / "docs" / "house.svg"
WIDTH, HIGH, GAP, ROW, MARGIN = 132, 26, 14, 64, 24
INSIDE = frozenset({"front"})
"""Rooms of the data plane whose own rooms are drawn."""


def arrows(package: Path, *, deep: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    """Each room with the rooms that its files import when they run; for types alone a room may know another."""
    found: dict[str, set[str]] = {}
    for name, file in imports.files(package).items():
        room = imports.room_of(name, deep=deep)
        if not room:
            continue
        uses = found.setdefault(room, set())
        uses.update(imports.room_of(other, deep=deep) for other in file.runs)
        uses.difference_update({room, ""})
    return found


def layers(uses: Mapping[str, set[str]]) -> list[list[str]]:
    """The rooms from the lowest layer up: each lies one above the highest room that it imports.

    Raises:
        ValueError: Rooms import each other; the text names them.
    """
    height: dict[str, int] = {}

    def high(room: str, path: tuple[str, ...]) -> int:
        if room in path:
            raise ValueError(f"rooms import each other: {' -> '.join([*path[path.index(room) :], room])}")
        if room not in height:
            below = [high(other, (*path, room)) for other in sorted(uses[room])]
            height[room] = 1 + max(below, default=-1)
        return height[room]

    for room in sorted(uses):
        high(room, ())
    found: list[list[str]] = [[] for _ in range(max(height.values(), default=-1) + 1)]
    for room in sorted(uses):
        found[height[room]].append(room)
    return found


def direct(uses: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The arrows that no longer way implies."""
    reach: dict[str, set[str]] = {}

    def all_below(room: str) -> set[str]:
        if room not in reach:
            reach[room] = set(uses[room]).union(*(all_below(other) for other in uses[room]))
        return reach[room]

    return {
        room: {one for one in others if not any(one in all_below(other) for other in others)}
        for room, others in uses.items()
    }


def picture() -> str:
    """The whole picture as SVG; the same for the same code."""
    control, data = arrows(imports.CONTROL), arrows(imports.DATA, deep=INSIDE)
    left, width, height = _part("sendoff: the control plane", control, MARGIN)
    right, second, other = _part("sendoff_serving: the data plane", data, width + 2 * MARGIN)
    total, tall = width + second + 3 * MARGIN, max(height, other) + MARGIN
    style = (
        "text{font:12px sans-serif;fill:#1b1f24;text-anchor:middle}.title{font-weight:bold;font-size:14px}"
        "rect{fill:#f4f7fb;stroke:#4b6a88}path{fill:none;stroke:#8aa0b5}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{tall}" viewBox="0 0 {total} {tall}">',
            f"<style>{style}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z" style="fill:#8aa0b5"/></marker></defs>',
            f'<rect width="{total}" height="{tall}" style="fill:#ffffff;stroke:none"/>',
            *left,
            *right,
            "</svg>",
            "",
        ]
    )


def _part(title: str, uses: Mapping[str, set[str]], at: int) -> tuple[list[str], int, int]:
    """One distribution's boxes and arrows, its width and its height."""
    shown = direct(uses)
    rows = _ordered(layers(uses), shown)
    width = max(len(row) for row in rows) * (WIDTH + GAP) - GAP
    top = {}
    for level, row in enumerate(reversed(rows)):
        own = len(row) * (WIDTH + GAP) - GAP
        for place, room in enumerate(row):
            top[room] = (at + (width - own) // 2 + place * (WIDTH + GAP), 48 + level * ROW)
    lines = [f'<text class="title" x="{at + width // 2}" y="28">{escape(title)}</text>']
    for room, others in sorted(shown.items()):
        for other in sorted(others):
            x, y = top[room][0] + WIDTH // 2, top[room][1] + HIGH
            to_x, to_y = top[other][0] + WIDTH // 2, top[other][1]
            bend = (to_y - y) // 2
            lines.append(
                f'<path d="M{x} {y}C{x} {y + bend} {to_x} {to_y - bend} {to_x} {to_y}" marker-end="url(#tip)">'
                f"<title>{escape(room)} imports {escape(other)}</title></path>"
            )
    for room, (x, y) in sorted(top.items()):
        lines.append(f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HIGH}" rx="5"/>')
        lines.append(f'<text x="{x + WIDTH // 2}" y="{y + 17}">{escape(room)}</text>')
    return lines, width, 48 + len(rows) * ROW


def _ordered(rows: list[list[str]], uses: Mapping[str, set[str]]) -> list[list[str]]:
    """Rows whose rooms stand near what they import, so that fewer arrows cross."""
    place: dict[str, float] = {}

    def wanted(room: str) -> tuple[float, str]:
        below = [place[other] for other in uses[room]]
        return (sum(below) / len(below) if below else 0.5, room)

    found = []
    for row in rows:
        row = sorted(row, key=wanted)
        place.update({room: (number + 0.5) / len(row) for number, room in enumerate(row)})
        found.append(row)
    return found


def main() -> int:
    """Write the picture; with ``--check`` only say whether it is true."""
    drawn = picture()
    if "--check" in sys.argv[1:]:
        if PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == drawn:
            return 0
        sys.stderr.write("docs/house.svg does not show the code as it is: run `make house`\n")
        return 1
    PICTURE.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
