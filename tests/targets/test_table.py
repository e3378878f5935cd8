"""Targets by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.errors import InvalidInput, NotSupported
from sendoff.spec.settings import Settings
from sendoff.targets import table
from sendoff.targets.base import Place, Surroundings, Target


def load(name: str, home: Path) -> Target:
    places = name in table.KINDS and table.KINDS[name].places
    place = Place(kind=name, name="ws/prod/ml" if places else "")
    return table.load(place, Surroundings(home=home, settings=Settings()))


def test_a_target_that_is_one_of_several_wants_to_hear_which(tmp_path: Path) -> None:
    name = next(name for name, kind in table.KINDS.items() if kind.places)
    with pytest.raises(NotSupported, match="none is named"):
        table.load(Place(kind=name), Surroundings(home=tmp_path, settings=Settings()))


@pytest.mark.parametrize("name", list(table.KINDS))
def test_every_target_of_the_table_loads_and_knows_its_name(name: str, tmp_path: Path) -> None:
    assert load(name, tmp_path).capabilities().name == name


def test_a_mistyped_name_is_met_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load("proces", tmp_path)
    assert "'process'" in caught.value.hint


def test_nothing_near_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load("mainframe", tmp_path)
    assert "process" in caught.value.hint


@pytest.mark.parametrize("name", table.PLANNED)
def test_a_planned_target_says_what_works_today(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotSupported) as caught:
        load(name, tmp_path)
    assert "process" in caught.value.hint
