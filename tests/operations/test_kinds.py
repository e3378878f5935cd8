from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from sendoff.operations.kinds import IMAGE, INTERPRETER, KINDS, PACKAGE, PROFILE
from sendoff.operations.work import Work

MEMBERS = [name for name, member in vars(Work).items() if inspect.isfunction(member) and not name.startswith("_")]


def work_of(type_: str) -> Any:
    module, name = KINDS[type_].work
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("type_", KINDS)
def test_every_kind_has_a_class_that_does_what_its_runner_asks_for(type_: str) -> None:
    work = work_of(type_)
    assert list(inspect.signature(work).parameters) == ["rooms", "row", "timeline"]
    assert MEMBERS and all(
        list(inspect.signature(getattr(work, name)).parameters)
        == list(inspect.signature(getattr(Work, name)).parameters)
        for name in MEMBERS
    )
    assert work.repeated <= set(KINDS[type_].steps)


def test_an_image_is_made_where_the_target_runs_images_and_for_every_package() -> None:
    for type_, kind in KINDS.items():
        assert ("image" in kind.steps_for(INTERPRETER)) is (type_ == PACKAGE)
        assert kind.steps_for(IMAGE) == kind.steps
    assert KINDS[PROFILE].steps_for(INTERPRETER) == ("validate", "environment", "measure", "recommend")
