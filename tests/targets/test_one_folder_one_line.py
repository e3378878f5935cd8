"""Adding a target is one folder and one line: shown with a small one, end to end, that no room has heard of."""

from __future__ import annotations

import dataclasses
import json
import sys
import urllib.request
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pytest
from deployment_rigs import WS, FakeCore, Rig, fake_rooms

from sendoff.core import Core
from sendoff.errors import InvalidInput, NotSupported
from sendoff.operations.operations import Operations
from sendoff.rooms import Rooms
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.service import UpdateService
from sendoff.targets import table
from sendoff.targets.base import Kind, Used

LINE = {"small": Kind("small_target.target", "SmallTarget")}
RUNNER = [sys.executable, str(Path(__file__).with_name("small_runner.py"))]
NOTHING = Used(services=(), images=())
ANSWERS = b"def init():\n    pass\n\n\ndef run(data):\n    return 'small ' + data\n"


class SmallCore(FakeCore):
    """A home with the real table of targets; environments are this interpreter."""

    @cached_property
    def rooms(self) -> Rooms:
        return dataclasses.replace(fake_rooms(self.store), targets=table)

    @cached_property
    def operations(self) -> Operations:
        return Operations(self.rooms, runner_command=RUNNER)


class SmallRig(Rig):
    def another(self) -> Core:
        return SmallCore(self.home)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallRig]:
    monkeypatch.setitem(table.KINDS, "small", LINE["small"])
    monkeypatch.setenv("SENDOFF_LOCAL_TARGET", "small")
    made = SmallRig(tmp_path / "home")
    yield made
    for found in made.rooms.target("small").held(NOTHING):
        found.remove()
    made.close()


def ask(uri: str | None) -> object:
    request = urllib.request.Request(str(uri), data=b'"x"', headers={"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.loads(answer.read())


def test_a_small_target_deploys_shows_updates_and_removes_a_service(small: SmallRig) -> None:
    operation = small.deploy(inference=small.inference(ANSWERS))
    assert operation.state == "Succeeded", operation
    assert [step.name for step in operation.steps] == [
        *("validate", "register", "environment", "bundle", "start", "init", "healthy")
    ]
    service = small.deployments.get(WS, "svc")
    assert (service.target, service.state, service.revision) == ("small", "Healthy", 1)
    assert ask(service.scoring_uri) == 'small "x"'
    assert [one.state for one in small.deployments.list(WS)] == ["Healthy"]
    change = UpdateService(deployment=DeploymentSpec(workers=2))
    assert small.wait(small.deployments.update(WS, "svc", change)).state == "Succeeded"
    assert small.deployments.get(WS, "svc").revision == 2
    assert small.wait(small.deployments.delete(WS, "svc")).state == "Succeeded"
    assert small.deployments.list(WS) == []
    assert small.rooms.target("small").held(NOTHING) == []


def test_what_it_lacks_is_told_by_its_capabilities(small: SmallRig) -> None:
    with pytest.raises(NotSupported, match="the small target cannot keep memory_limit_mb"):
        small.deploy(deployment=DeploymentSpec(compute_type="LOCAL", memory_limit_mb=600))


def test_without_its_line_there_is_no_such_target(small: SmallRig, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without, pytest.raises(InvalidInput, match="local_target"):
        without.delitem(table.KINDS, "small")
        small.deploy()
