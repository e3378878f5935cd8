"""Only ``targets.table`` names targets: elsewhere their names are text that somebody gave, checked against it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sendoff.targets import table

SENDOFF = Path(__file__).parents[2] / "packages" / "sendoff" / "src" / "sendoff"
ROOMS = (
    *("api", "artefacts", "cli", "client", "code", "deployments", "garbage", "operations", "packages", "packaging"),
    *("profiling", "spec", "store", "views"),
)
FILES = ("core.py", "rooms.py")
NO_TARGETS = {
    ("spec/environment_files.py", "docker"): "the section of an environment's file, SDK v1's and Azure ML's",
    ("api/doctor.py", "docker"): "the engine, its command and the extra that brings Envoy",
    ("spec/deployment_files.py", "kubernetes"): "the section of what only a cluster has a use for",
    ("deployments/choose_target.py", "kubernetes"): "the field of a configuration that has that section",
    ("cli/commands/computetarget.py", "kubernetes"): "`az ml`'s word for a kind of compute target, and that section",
    ("cli/commands/doctor.py", "docker"): "the doctor's row about the engine",
}


def sources() -> list[Path]:
    found = [file for room in ROOMS for file in sorted((SENDOFF / room).rglob("*.py"))]
    return [*found, *(SENDOFF / name for name in FILES)]


def test_every_room_of_the_list_is_there() -> None:
    assert all((SENDOFF / room).is_dir() for room in ROOMS)
    assert all((SENDOFF / name).is_file() for name in FILES)


@pytest.mark.parametrize("kind", list(table.KINDS))
def test_no_room_names_a_target_by_a_string(kind: str) -> None:
    wrong, excused = [], set()
    for file in sources():
        place = str(file.relative_to(SENDOFF))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and node.value == kind:
                if (place, kind) in NO_TARGETS:
                    excused.add((place, kind))
                else:
                    wrong.append(f"{place}:{node.lineno}")
    assert wrong == []
    assert excused == {one for one in NO_TARGETS if one[1] == kind}, "an excuse that nobody needs any more"


def test_nobody_else_imports_a_target() -> None:
    folders = {kind.module.removeprefix("sendoff.targets.").partition(".")[0] for kind in table.KINDS.values()}
    wrong = []
    for file in sorted(SENDOFF.rglob("*.py")):
        inside = file.relative_to(SENDOFF).parts
        if inside[0] == "targets" and inside[1] in folders:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                named = (node.module or "").split(".")
                in_targets = "targets" in named or (inside[0] == "targets" and node.level == 1)
                if in_targets and (folders & {*named, *(alias.name for alias in node.names)}):
                    wrong.append(f"{'/'.join(inside)}:{node.lineno}")
    assert wrong == []
