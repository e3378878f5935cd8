from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sendoff.core import Core
from sendoff.spec.workspace import CreateWorkspace


def test_a_room_is_opened_when_it_is_first_needed_and_once_for_all_threads(tmp_path: Path) -> None:
    core = Core(tmp_path / "home")
    assert not core.home.exists()
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: core.deployments, range(32)))
    assert len({id(room) for room in opened}) == 1
    assert core.rooms.store is core.store and core.rooms.registry is core.registry
    core.close()


def test_a_core_that_was_closed_opens_again(tmp_path: Path) -> None:
    core = Core(tmp_path / "home")
    core.registry.create_workspace(CreateWorkspace(name="ws"))
    before = core.store
    core.close()
    assert [workspace.name for workspace in core.registry.workspaces()] == ["ws"]
    assert core.store is not before
    core.close()


def test_every_room_can_be_opened(tmp_path: Path) -> None:
    core = Core(tmp_path / "home")
    core.registry.create_workspace(CreateWorkspace(name="ws"))
    names = [name for name, member in vars(Core).items() if type(member).__name__ == "_Room"]
    assert len(names) > 10
    assert all(getattr(core, name) is not None for name in names)
    assert core.vault("ws") is core.vault("ws")
    core.close()
