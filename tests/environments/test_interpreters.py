"""Which Pythons are found, and which one meets a condition."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from environment_cache import interpreter

from sendoff.environments import interpreters
from sendoff.errors import EnvironmentFailed, InterpreterNotFound
from sendoff.spec.settings import Settings

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


@pytest.fixture
def alone(tmp_path, clean):
    """Variables of a machine with nothing on PATH and no pyenv: only the running Python is found."""
    return {**clean, "PATH": str(tmp_path / "nowhere"), "PYENV_ROOT": str(tmp_path / "nowhere")}


def test_the_running_python_is_found_as_its_base_and_not_as_the_venv(alone):
    found = interpreters.discover(Settings(), alone)
    assert [one.version for one in found] == ["{}.{}.{}".format(*sys.version_info[:3])]
    assert not found[0].path.startswith(sys.prefix) or sys.prefix == sys.base_prefix


def test_pyenvs_versions_and_path_are_looked_at(clean):
    interpreter("3.6")
    versions = {one.version.rpartition(".")[0] for one in interpreters.discover(Settings(), clean) if not one.problem}
    assert {"3.6", MINOR} <= versions


def test_a_broken_interpreter_is_skipped_with_its_reason(alone, tmp_path):
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin" / "python3.6", "echo 'libpython3.6.so is missing' >&2; exit 127")
    script(tmp_path / "bin" / "python3.7", "echo '{\"a\": 1}'")
    (tmp_path / "bin" / "python3.8").symlink_to("gone")
    found = {
        one.path.rpartition("/")[2]: one
        for one in interpreters.discover(Settings(), {**alone, "PATH": str(tmp_path / "bin")})
    }
    assert "libpython3.6.so is missing" in found["python3.6"].problem
    assert "does not run" in found["python3.7"].problem
    assert "No such file" in found["python3.8"].problem
    with pytest.raises(InterpreterNotFound):
        interpreters.pick("=3.6", Settings(), {**alone, "PATH": str(tmp_path / "bin")})


def test_an_interpreter_is_run_once_until_its_file_changes(alone, tmp_path):
    (tmp_path / "bin").mkdir()
    calls = tmp_path / "calls"
    wrapper = tmp_path / "bin" / "python3"
    # A stand-in that counts, and answers as the real one does.
    script(wrapper, f'echo x >> {calls}\nexec {sys._base_executable} "$@"\n')
    alone["PATH"] = str(tmp_path / "bin")
    for _ in range(3):
        interpreters.discover(Settings(), alone)
    assert calls.read_text() == "x\n"
    os.utime(wrapper, ns=(1, 1))
    interpreters.discover(Settings(), alone)
    assert calls.read_text() == "x\nx\n"


def test_one_that_is_too_old_says_so_each_time_and_is_run_once(alone, tmp_path):
    (tmp_path / "bin").mkdir()
    calls = tmp_path / "calls"
    older = """/bin/sed 's/"version": "[^"]*"/"version": "2.7.18"/'"""
    script(tmp_path / "bin" / "python3", f'echo x >> {calls}\n{sys._base_executable} "$@" | {older}\n')
    alone["PATH"] = str(tmp_path / "bin")
    for _ in range(2):
        found = interpreters.discover(Settings(), alone)
        assert "Python 2.7.18 is older than 3.6" in {one.problem for one in found}
    assert calls.read_text() == "x\n"


def test_a_damaged_cache_is_made_anew(alone):
    kept = Path(alone["HOME"]) / ".cache" / "sendoff" / "interpreters.json"
    assert interpreters.discover(Settings(), alone)
    assert sys._base_executable in kept.read_text()
    kept.write_text('{"x": {"stamp": 1')
    assert interpreters.discover(Settings(), alone)


def test_the_setting_names_interpreters_and_folders(alone, tmp_path):
    python = interpreter("3.6")
    subprocess.run([python, "-m", "venv", "--without-pip", str(tmp_path / "v")], check=True)
    for place in (python, str(tmp_path / "v"), str(tmp_path / "v" / "bin")):
        found = interpreters.discover(Settings(interpreters=[place]), alone)
        assert "3.6" in {one.version.rpartition(".")[0] for one in found}


def test_an_exact_patch_release_is_met_by_the_newest_one_and_the_note_says_so(clean):
    interpreter("3.6")
    found, notes = interpreters.pick("=3.6.2", Settings(), clean)
    assert found.version.startswith("3.6.")
    assert notes == [f"python=3.6.2 is met by Python {found.version}, the newest patch release on this machine"]


@pytest.mark.parametrize(
    "condition", [f"={MINOR}", f"={MINOR}.*", f"=={MINOR}.*", f">={MINOR}", "", f">=3.6,<={MINOR}.999"]
)
def test_ranges_and_prefixes_are_understood(alone, condition):
    found, _ = interpreters.pick(condition, Settings(), alone)
    assert found.version.startswith(f"{MINOR}.")


def test_no_condition_means_the_running_minor_and_says_so(clean):
    found, notes = interpreters.pick("", Settings(), clean)
    assert found.version.startswith(f"{MINOR}.")
    assert "no python version is asked for" in notes[0]


def test_a_bounded_range_takes_the_newest_that_fits(clean):
    interpreter("3.7"), interpreter("3.8")
    found, _ = interpreters.pick(">=3.7,<3.9", Settings(), clean)
    assert found.version.startswith("3.8.")


def test_what_is_missing_is_fetched_or_the_error_lists_what_is_there(alone):
    asked = []

    def fetch(minor):
        asked.append(minor)
        raise EnvironmentFailed("no", log=["error: nothing to download"])

    with pytest.raises(InterpreterNotFound) as error:
        interpreters.pick("=3.5.4", Settings(), alone, fetch=fetch)
    assert asked == ["3.5"]
    assert "nothing to download" in str(error.value)
    assert "{}.{}.{}".format(*sys.version_info[:3]) in error.value.hint
    with pytest.raises(InterpreterNotFound):
        interpreters.pick("=3.5.4", Settings(offline=True), alone, fetch=fetch)
    assert asked == ["3.5"], "offline fetches nothing"
