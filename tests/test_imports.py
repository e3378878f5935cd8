"""Which room may import which: exactly what the tables of docs/architecture.md say, read from there."""

from __future__ import annotations

import re
import subprocess
import sys

import house
import imports
import pytest

PAGE = (imports.REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTROL, DATA = "sendoff", "sendoff_serving"
PACKAGES = {CONTROL: imports.CONTROL, DATA: imports.DATA}


def table(title: str) -> dict[str, set[str]]:
    """Room -> what it may import, from the page's table below a heading; for types alone with ``types`` behind it."""
    part = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = {}
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            rows[cells[0].strip("`")] = set(re.findall(r"`([\w.]+)`(?! \(types\))", cells[1])) | {
                f"{room} types" for room in re.findall(r"`([\w.]+)` \(types\)", cells[1])
            }
    return rows


ALLOWED = {CONTROL: table("Rooms of the control plane"), DATA: table("Rooms of the data plane")}
BY_NAME = table("What is named by a string")
"""File -> the rooms whose modules it may name by strings."""


def room_in(package: str, name: str) -> str:
    """The row of the table that a module belongs to: the longest that names it."""
    below = name.partition(".")[2]
    found = [row for row in ALLOWED[package] if below == row or below.startswith(f"{row}.")]
    return max(found, key=len, default="")


ROWS = [(package, room) for package, rows in ALLOWED.items() for room in rows]


def used(package: str, room: str) -> dict[str, list[str]]:
    """What a room imports, as the table writes it, with the imports that say so."""
    runs: dict[str, list[str]] = {}
    types: dict[str, list[str]] = {}
    for file in imports.files(PACKAGES[package]).values():
        if room_in(package, file.name) == room:
            for found, names in ((runs, file.runs), (types, file.types)):
                for other in sorted(names):
                    found.setdefault(room_in(package, other), []).append(f"{file.name} imports {other}")
    found = {**{f"{other} types": lines for other, lines in types.items() if other not in runs}, **runs}
    return {other: lines for other, lines in found.items() if other.partition(" ")[0] not in ("", room)}


@pytest.mark.parametrize(("package", "room"), ROWS)
def test_a_room_imports_what_the_page_says_and_nothing_else(package, room):
    found = used(package, room)
    assert {other: lines for other, lines in found.items() if other not in ALLOWED[package][room]} == {}
    assert ALLOWED[package][room] - set(found) == set(), "the page allows what is not used"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_is_in_a_room_of_the_page(package):
    lost = [name for name in imports.files(PACKAGES[package]) if name != package and not room_in(package, name)]
    assert lost == []
    empty = set(ALLOWED[package]) - {room_in(package, name) for name in imports.files(PACKAGES[package])}
    assert empty == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_files_import_each_other(package):
    assert imports.circles(PACKAGES[package]) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_rooms_import_each_other(package):
    house.layers(house.arrows(PACKAGES[package], deep=house.INSIDE))


def test_modules_are_named_by_strings_only_where_the_page_says():
    named = {
        (file.name.partition(".")[2], room_in(package, other))
        for package in PACKAGES
        for file in imports.files(PACKAGES[package]).values()
        for other in file.named
        if room_in(package, other) != room_in(package, file.name)
    }
    assert named == {(file, room) for file, rooms in BY_NAME.items() for room in rooms}


def test_a_circle_would_be_found(tmp_path):
    package = tmp_path / "planted"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("from .two import b\n")
    (package / "two.py").write_text("def b():\n    from . import three\n")
    (package / "three.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .one import a\n")
    assert imports.circles(package) == []
    imports.files.cache_clear()
    (package / "three.py").write_text("def c():\n    from .one import a\n")
    assert imports.circles(package) == [["planted.one", "planted.three", "planted.two"]]


def test_the_picture_of_the_house_is_true():
    assert house.PICTURE.read_text(encoding="utf-8") == house.picture(), "run `make house`"


def test_the_planes_do_not_import_each_other():
    """The data plane knows nothing of the control plane; the other way only what ``docs/architecture.md`` names."""
    wrong = [
        f"{file.name}: {line.strip()}"
        for file in imports.files(imports.DATA).values()
        for line in file.path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(from|import) sendoff(\.|\s|$)", line)
    ]
    assert wrong == []


def loaded_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()} | set(done.stdout.split())


def test_importing_sendoff_loads_nothing_heavy():
    loaded = loaded_after("import sendoff")
    assert not loaded & {"sqlalchemy", "msgspec", "yaml", "sendoff.sdk", "sendoff.api", "alembic", "rich", "click"}


def test_the_sdk_and_the_client_load_no_database_before_the_first_call():
    loaded = loaded_after("from sendoff import Workspace, Model, Environment, Webservice; import sendoff.client")
    assert not loaded & {"sqlalchemy", "alembic", "starlette", "uvicorn"}


def test_the_table_of_routes_loads_no_database_and_no_room():
    loaded = loaded_after("import sendoff.api.routes")
    assert not loaded & {"sqlalchemy", "sendoff.store", "sendoff.registry", "sendoff.drift.detectors"}


def test_every_public_name_is_there():
    import sendoff

    assert all(getattr(sendoff, name) is not None for name in sendoff.__all__)
    assert sendoff.__version__
    with pytest.raises(AttributeError):
        sendoff.nothing  # noqa: B018
