"""Which room of the data plane may import which, and that no file leads back to itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from import_graph import Graph

SERVING = Path(__file__).parents[2] / "packages" / "serving" / "src" / "sendoff_serving"
GRAPH = Graph(SERVING)

# The package itself holds its version alone, which anybody may ask for. A room is a folder, or a file beside folders.
ALLOWED: dict[str, set[str]] = {
    # What both sides of a worker's socket share, and what stands on nothing.
    "errors": set(),
    "protocol": set(),
    "page": set(),
    "room": {"page", "protocol"},
    "allocator": set(),
    "exposition": set(),
    "log_format": set(),
    "log": {"log_format"},
    "telemetry_settings": {"errors"},
    # What a user's interpreter runs; nothing of the front, whose packages it does not have.
    "worker": {"allocator", "page", "protocol", "room"},
    "recording": {"protocol"},
    "bundle": {"errors", "recording"},
    # The OpenAPI documents of a service.
    "openapi": {"bundle", "errors", "existing_documents", "openapi_inference", "openapi_sizes"},
    "existing_documents": {"bundle", "openapi_sizes"},
    "openapi_inference": set(),
    "openapi_sizes": set(),
    # The front: http and workers know nothing of scoring, which stands on both; telemetry stands beside; server.py
    # puts them together, control.py and the command are what it is driven by.
    "front.http": {"errors"},
    "front.telemetry": {"errors", "exposition", "log", "telemetry_settings"},
    "front.workers": {"bundle", "errors", "log", "page", "protocol", "room"},
    "front.scoring": {
        *("bundle", "errors", "exposition", "log", "openapi", "protocol", "recording"),
        *("front.http", "front.workers"),
    },
    "front.reloading": set(),
    "front.server": {
        *("bundle", "errors", "log", "protocol", "telemetry_settings"),
        *("front.http", "front.scoring", "front.telemetry", "front.workers"),
    },
    "front.control": {"bundle", "errors", "exposition", "front.http"},
    "options": {"bundle", "errors", "front.http", "log_format", "recording", "telemetry_settings"},
    "__main__": {
        *("allocator", "errors", "log", "options"),
        *("front.control", "front.reloading", "front.scoring", "front.server", "front.workers"),
    },
    "existing_command": {"__main__"},
}
# What a room may know by its type alone, beside what it imports.
TYPES: dict[str, set[str]] = {
    "front.http": {"front.telemetry"},
    "front.telemetry": {"front.http"},
    "front.workers": {"front.telemetry"},
    "front.scoring": {"front.telemetry"},
    "front.control": {"front.server"},
}
PACKAGES = ("sendoff_serving", "sendoff_serving.front")


def room_of(module: str) -> str:
    parts = module.split(".")[1:]
    return ".".join(parts[: 2 if parts[:1] == ["front"] else 1])


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    wrong = [
        f"{module} imports {other}"
        for imports, allowed in ((GRAPH.runs, set()), (GRAPH.types, TYPES.get(room, set())))
        for module in imports
        if room_of(module) == room
        for other in sorted(imports[module])
        if other not in PACKAGES and room_of(other) not in ALLOWED[room] | allowed | {room}
    ]
    assert wrong == []


def test_every_room_is_in_the_table_and_every_entry_is_needed() -> None:
    assert {room_of(module) for module in GRAPH.runs if module not in PACKAGES} == set(ALLOWED)
    for imports, table in ((GRAPH.runs, ALLOWED), (GRAPH.types, TYPES)):
        used: dict[str, set[str]] = {room: set() for room in ALLOWED}
        for module, others in imports.items():
            if module not in PACKAGES:
                used[room_of(module)] |= {room_of(other) for other in others if other not in PACKAGES}
        assert {room: sorted(allowed - used[room]) for room, allowed in table.items() if allowed - used[room]} == {}


def test_no_file_leads_back_to_itself() -> None:
    assert GRAPH.circles() == []


def test_a_circle_is_found_where_a_function_closes_it_and_not_where_a_type_does(tmp_path: Path) -> None:
    package = tmp_path / "planted"
    (package / "room").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "room/__init__.py": "",
        "room/a.py": "from ..b import thing\n",
        "b.py": "def late():\n    from .room import a\n    return a\n",
        "c.py": "from typing import TYPE_CHECKING\nfrom . import d\nif TYPE_CHECKING:\n    import planted.e\n",
        "d.py": "import os\n",
        "e.py": "import planted.c\n",
    }.items():
        (package / name).write_text(text)
    graph = Graph(package)
    assert graph.circles() == [["planted.b", "planted.room.a"]]
    assert (graph.runs["planted.c"], graph.types["planted.c"]) == ({"planted.d"}, {"planted.e"})
