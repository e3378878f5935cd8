"""A script that does not parse is refused before anything starts, by the Python that will run it."""

from __future__ import annotations

import sys
from pathlib import Path

import environment_cache
import pytest
from deployment_rigs import SCORE, WS, environment, fake_rooms

from sendoff.code.script_grammar import check_grammar
from sendoff.errors import InvalidInput
from sendoff.spec.environment import EnvironmentSpec, PythonSpec

BROKEN = SCORE.replace(b"return data", b"retrun data")
ONLY_OLD = SCORE.replace(b"pass", b"async = 1")
ONLY_NEW = SCORE.replace(b"pass", b"print(x := 1)")


def managed(python: str) -> EnvironmentSpec:
    return EnvironmentSpec(name="own", python=PythonSpec(user_managed_dependencies=True, interpreter_path=python))


@pytest.fixture(scope="session")
def old() -> str:
    return environment_cache.interpreter("3.6")


def test_an_interpreter_of_the_users_own_is_asked_at_once(rig, old) -> None:
    body = rig.body(inference=rig.inference(BROKEN, environment=managed(old)), check=True)
    with pytest.raises(InvalidInput) as caught:
        rig.deployments.deploy(WS, body)
    assert caught.value.message == (
        f"entry script score.py, line 6: invalid syntax: retrun data (on Python 3.6, which runs it ({old}))"
    )
    assert (caught.value.context["file"], caught.value.context["line"]) == ("score.py", 6)


def test_its_grammar_counts_and_not_ours(rig, old) -> None:
    report = rig.deployments.deploy(
        WS, rig.body(inference=rig.inference(ONLY_OLD, environment=managed(old)), check=True)
    )
    assert not [note for note in report.notes if "parse" in note]
    with pytest.raises(InvalidInput, match=r"line 2: .*on Python 3\.6"):
        rig.deployments.deploy(WS, rig.body(inference=rig.inference(ONLY_NEW, environment=managed(old)), check=True))


def test_a_name_on_the_path_is_found(rig, old, monkeypatch) -> None:

    monkeypatch.setenv("PATH", str(Path(old).parent))
    with pytest.raises(InvalidInput, match=r"on Python 3\.6"):
        rig.deployments.deploy(
            WS, rig.body(inference=rig.inference(BROKEN, environment=managed(Path(old).name)), check=True)
        )


def test_a_named_python_is_asked_where_this_machine_has_one(rig, old) -> None:
    rooms = fake_rooms(rig.store)
    named = EnvironmentSpec(name="named", python=PythonSpec(conda_packages=["python=3.6.2"]))
    inference = rig.inference(BROKEN, environment=named)
    (note,) = check_grammar(rooms, inference, images=False)  # there is none: ours says what it can
    assert "line 6 does not parse on Python" in note
    assert "on Python 3.6, which could not be asked here" in note
    assert check_grammar(rooms, rig.inference(environment=named), images=False) == []
    rooms.environments.pythons["3.6.15"] = old
    with pytest.raises(InvalidInput, match=r"line 6: invalid syntax: retrun data \(on Python 3\.6, which runs it\)"):
        check_grammar(rooms, inference, images=True)
    assert check_grammar(rooms, rig.inference(ONLY_OLD, environment=named), images=True) == []


def test_in_an_image_an_interpreter_of_the_users_own_is_another_one(rig, old) -> None:
    rooms = fake_rooms(rig.store)
    (note,) = check_grammar(rooms, rig.inference(BROKEN, environment=managed(old)), images=True)
    assert "its own Python, which could not be asked" in note
    (note,) = check_grammar(rooms, rig.inference(BROKEN, environment=managed("/no/such/python")), images=False)
    assert "could not be asked" in note


def test_nothing_of_the_script_is_run(rig, old, tmp_path) -> None:
    touch = f"open({str(tmp_path / 'ran')!r}, 'w')\n".encode()
    rooms = fake_rooms(rig.store)
    assert check_grammar(rooms, rig.inference(touch + SCORE, environment=managed(old)), images=False) == []
    assert not (tmp_path / "ran").exists()
    assert check_grammar(rooms, rig.inference(environment=environment()), images=False) == []
    assert environment().python.interpreter_path == sys.executable
