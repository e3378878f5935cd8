"""The fake target does as it was told, also for another process that looks at the same home."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_target import fake_target

from sendoff.errors import InvalidInput, PortInUse
from sendoff.targets.base import Listen, Wanted


def wanted(revision: int = 1, **more: object) -> Wanted:
    facts = {"uid": "u", "name": "n", "workspace": "w", "revision": revision, "bundle": "b"}
    return Wanted(**{**facts, **more})


def test_it_says_that_it_is_a_fake(tmp_path: Path) -> None:
    assert fake_target(tmp_path).capabilities().name == "fake"


def test_it_takes_as_many_looks_as_scripted(tmp_path: Path) -> None:
    target = fake_target(tmp_path)
    target.script("n", "succeed", looks=2)
    target.apply(wanted())
    assert [fake_target(tmp_path).observe(["u"])["u"].phase for _ in range(3)] == ["starting", "init", "ready"]


def test_it_hangs_in_init_for_ever(tmp_path: Path) -> None:
    target = fake_target(tmp_path)
    target.script("*", "hang")
    target.apply(wanted())
    assert {target.observe(["u"])["u"].phase for _ in range(20)} == {"init"}


def test_it_is_ready_and_then_crashes(tmp_path: Path) -> None:
    target = fake_target(tmp_path)
    target.script("n", "crash")
    target.apply(wanted())
    assert [target.observe(["u"])["u"].phase for _ in range(3)] == ["init", "ready", "unhealthy"]


def test_it_refuses_a_port_when_told_to(tmp_path: Path) -> None:
    target = fake_target(tmp_path)
    target.script("n", "port-in-use")
    with pytest.raises(PortInUse):
        target.check(wanted(listen=Listen(port=5001)))


def test_it_cannot_do_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="fly"):
        fake_target(tmp_path).script("n", "fly")
