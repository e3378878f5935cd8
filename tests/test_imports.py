"""Which room may import which (docs/architecture.md). Fails when a boundary is broken."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[1] / "packages"
SENDOFF = PACKAGES / "sendoff" / "src" / "sendoff"

GROUND = {"errors", "connections", "files", "processes", "environ", "sockets", "progress"}
"""Modules below all rooms, which every room may import."""

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "files": {"errors"},
    "connections": {"errors"},
    "processes": set(),
    "environ": set(),
    "sockets": set(),
    "progress": set(),
    "spec": {"errors"},
    "store": {"errors", "spec"},
    "containers": {"errors", "spec"},
    "gateway": {"containers"},
    "targets": {"errors", "spec", "containers", "gateway", "schedule.chores"},
    "registry": {"errors", "spec", "store", "targets.base"},
    "environments": {"errors", "spec", "store", "targets.base"},
    "packaging": {"errors", "spec", "store", "targets.base", "registry", "environments", "containers"},
    "artefacts": {"errors", "spec", "store", "environments", "packaging", "containers", "targets.base"},
    "frameworks": {"errors", "spec", "store", "registry"},
    "identity": {"errors", "spec", "store"},
    "computes": {"errors", "spec", "store", "registry"},
    "runs": {"errors", "spec", "store", "registry"},
    "modeldata": {"errors", "spec", "store"},
    "events": {"errors", "spec", "store"},
    "schedule": {"errors", "spec", "store", "core", "modeldata"},
    "drift": {
        *("errors", "spec", "store", "tabular", "datasets", "modeldata", "events"),
        *("schedule.chores", "schedule.periods"),
    },
    "tabular": {"errors", "spec"},
    "datasets": {"errors", "spec", "store", "tabular"},
    "rooms": {"store", "registry", "environments", "targets.base"},
    "operations": {"errors", "spec", "store", "rooms", "core"},
    "code": {"errors", "spec", "store", "rooms", "registry", "environments", "packaging", "frameworks"},
    "packages": {"errors", "spec", "store", "rooms", "operations", "code", "artefacts", "packaging", "containers"},
    "profiling": {
        *("errors", "spec", "store", "rooms", "operations", "code", "packaging", "datasets", "tabular", "deployments"),
        *("targets.base", "targets.failures", "targets.meter"),
    },
    "garbage": {"errors", "spec", "store", "rooms", "operations", "artefacts", "deployments", "targets.base"},
    "deployments": {
        *("errors", "spec", "store", "rooms", "operations", "code", "artefacts", "packaging"),
        *("identity", "computes", "modeldata", "targets.base", "targets.failures"),
    },
    "core": {
        *(
            "store",
            "registry",
            "environments",
            "artefacts",
            "targets.table",
            "datasets",
            "rooms",
            "operations",
            "deployments",
            "packages",
        ),
        *("profiling", "garbage", "computes", "runs", "modeldata", "drift", "identity"),
    },
    "api": {
        *("errors", "spec", "store", "containers", "registry", "environments", "packaging", "core"),
        *("datasets", "computes", "runs", "identity", "modeldata", "drift", "events", "schedule.chores"),
    },
    "client": {
        *(
            "errors",
            "spec",
            "store.blobs",
            "store.locations",
            "registry.collect",
            "packaging.collect_source",
            "packaging.check_script",
        ),
        "api.application",  # the one line of `connection` that puts an embedded application together
    },
    "views": {"errors", "spec", "client"},
    "sdk": {"Workspace", "errors", "spec", "tabular", "client", "views"},
    "migrate": {"errors", "spec", "sdk"},
    "cli": {"errors", "spec", "tabular", "client", "views", "sdk", "migrate"},
    "": {"errors", "sdk"},
}


def room_of(file: Path) -> str:
    first = file.relative_to(SENDOFF).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported(file: Path) -> set[str]:
    """Dotted names below ``sendoff`` that a file imports, wherever in it."""
    package = ["sendoff", *file.relative_to(SENDOFF).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("sendoff.") for alias in node.names if alias.name.startswith("sendoff.")}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            parts = [*base, *(node.module or "").split(".")] if node.module else base
            if parts and parts[0] == "sendoff":
                below = parts[1:]
                found |= {".".join([*below, alias.name]) for alias in node.names}
    return found


def within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(f"{allowed}.")


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_it_may(room):
    files = [file for file in SENDOFF.rglob("*.py") if room_of(file) == room]
    may = ALLOWED[room] | (set() if room in GROUND else GROUND)
    wrong = [
        f"{file.relative_to(SENDOFF)} imports {name}"
        for file in files
        for name in sorted(imported(file))
        if not (room and within(name, room)) and not any(within(name, one) for one in may)
    ]
    assert wrong == []


def test_every_room_is_in_the_table():
    assert {room_of(file) for file in SENDOFF.rglob("*.py")} <= set(ALLOWED)


def test_the_data_plane_imports_nothing_of_the_control_plane():
    source = PACKAGES / "serving" / "src"
    wrong = [
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sendoff" and not node.level)
        or (isinstance(node, ast.Import) and any(one.name.split(".")[0] == "sendoff" for one in node.names))
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
    loaded = loaded_after("from sendoff import Workspace, Model, Environment, Webservice; from sendoff import client")
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
