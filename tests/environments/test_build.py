"""A lock is built once, whoever asks, and what is built is what the lock says."""

import os
import subprocess
import sys

import pytest
from resolving import resolve

from environments.wheels import make_wheel
from sendoff.environments import build
from sendoff.environments.indexes import effective
from sendoff.errors import EnvironmentFailed, InvalidInput
from sendoff.spec import parse
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.settings import Settings


@pytest.fixture
def make(home, clean, offline):
    """Resolve and build pip lines from the wheelhouse."""

    def making(*pip, progress=lambda _: None):
        spec = EnvironmentSpec(name="e", python=PythonSpec(pip_packages=list(pip)))
        lock, supply = resolve(spec, home=home, settings=offline, environ=clean, progress=progress)
        return lock, build.ensure(lock, supply, home=home)

    return making


def answer(python, code):
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_what_is_built_has_the_packages_and_nothing_of_ours(make, home):
    lock, built = make("tiny-one")
    assert built.key == lock.key
    assert answer(built.python, "import tiny_one, tiny_base; print(tiny_one.VERSION, tiny_base.VERSION)") == "1.5 1.0"
    everything = [path.name for path in (home / "environments" / built.key).rglob("*")]
    assert not [name for name in everything if "sendoff" in name.lower()]
    assert not [name for name in everything if name.startswith("azureml")]
    assert "built with 2 packages" in built.how and not built.again


def test_a_second_ask_finds_it_built(make, home):
    _, first = make("tiny-one")
    marker = home / "environments" / first.key / ".complete"
    os.utime(marker, (1, 1))
    _, second = make("tiny-one")
    assert second.python == first.python
    assert second.how == "built before" and second.again
    assert marker.stat().st_mtime > 1, "gc sees when it was last asked for"


def test_a_half_built_environment_is_removed_and_built_anew(make, home):
    _, first = make("tiny-one")
    folder = home / "environments" / first.key
    (folder / ".complete").unlink()
    (folder / "rubbish").write_text("x")
    next((folder / "lib").rglob("tiny_base.py")).unlink()
    assert build.present(home)[0].lock_digest == ""
    said = []
    _, second = make("tiny-one", progress=said.append)
    assert "removing what an interrupted build left behind" in said
    assert not (folder / "rubbish").exists()
    assert answer(second.python, "import tiny_base; print(tiny_base.VERSION)") == "1.0"


_ASK = """
import os, sys, time
from pathlib import Path
from sendoff.environments import build
from sendoff.environments.indexes import Supply, effective
from sendoff.spec.environment import Lock
from sendoff.spec.parse import decode
from sendoff.spec.settings import Settings
lock, home, wheels = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
say = lambda text: print(text, flush=True)
really = build.uv.run
def slowly(arguments, supply, **more):
    if "install" in arguments:
        say("BUILDS")
        time.sleep(1.5)
    return really(arguments, supply, **more)
build.uv.run = slowly
lock = decode(lock.read_bytes(), Lock, where="lock")
indexes, _ = effective(os.environ, Settings(offline=True, wheelhouse=wheels), [])
built = build.ensure(lock, Supply(indexes, os.environ, say), home=home)
say(f"DONE {built.python}")
"""


@pytest.fixture
def ask(home, clean, offline, tmp_path):
    """Start a process that builds one and the same lock, slowly."""
    make_wheel(offline.wheelhouse, "tiny-slow", "1.0")
    definition = EnvironmentSpec(name="e", python=PythonSpec(pip_packages=["tiny-slow"]))
    lock, _ = resolve(definition, home=home, settings=offline, environ=clean)
    (tmp_path / "ask.py").write_text(_ASK)
    (tmp_path / "lock.json").write_bytes(parse.encode(lock))
    command = [
        sys.executable,
        *(str(tmp_path / name) for name in ("ask.py", "lock.json")),
        str(home),
        offline.wheelhouse,
    ]
    return lambda: subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean)


def test_two_processes_that_ask_at_once_build_it_once(ask):
    both = [ask(), ask()]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(text.count("BUILDS") for text in said) == 1
    waiter = next(text for text in said if "BUILDS" not in text)
    builder = both[said.index(next(text for text in said if "BUILDS" in text))]
    assert f"which process {builder.pid} builds" in waiter
    assert said[0].split()[-1] == said[1].split()[-1]


def test_a_builder_that_is_killed_half_way_is_followed_by_the_next(ask, home):
    killed = ask()
    for line in killed.stdout:
        if "BUILDS" in line:
            break
    killed.kill()
    killed.communicate()
    assert [one.lock_digest for one in build.present(home)] == [""]
    said = ask().communicate(timeout=120)[0]
    assert "removing what an interrupted build left behind" in said
    assert "DONE" in said


def test_an_environment_that_is_not_what_its_lock_says_is_refused(make, home):
    """spec/pains.md 20: never swallow it."""
    lock, built = make("tiny-one")
    folder = home / "environments" / built.key
    build.check(lock, folder)
    wrong = parse.replace(lock, requirements=lock.requirements.replace("tiny-base==1.0", "tiny-base==9.9"))
    with pytest.raises(EnvironmentFailed, match=r"tiny-base 1\.0, its lock 9\.9"):
        build.check(wrong, folder)
    with pytest.raises(EnvironmentFailed, match="has Python"):
        build.check(parse.replace(lock, python_version="3.0.0"), folder)
    moved = folder.with_name("moved")
    moved.symlink_to(folder)
    build.check(lock, moved)


def test_a_wheel_that_changed_since_the_lock_is_refused_and_leaves_nothing_usable(home, clean, offline, tmp_path):
    spec = EnvironmentSpec(name="e", python=PythonSpec(pip_packages=["tiny-changing"]))
    make_wheel(offline.wheelhouse, "tiny-changing", "1.0")
    lock, supply = resolve(spec, home=home, settings=offline, environ=clean)
    make_wheel(offline.wheelhouse, "tiny-changing", "1.0", code="VERSION = 'evil'\n")
    clean["UV_CACHE_DIR"] = str(tmp_path / "another cache")  # the shared one still has the right wheel
    with pytest.raises(EnvironmentFailed) as error:
        build.ensure(lock, supply, home=home)
    assert "ash" in " ".join(error.value.context["log"])
    assert [one.lock_digest for one in build.present(home)] == [""]


def test_removing_takes_it_away_and_knows_nothing_else(make, home):
    lock, built = make("tiny-one")
    assert [one.lock_digest for one in build.present(home)] == [lock.digest]
    assert build.remove(home, built.key)
    assert not build.remove(home, built.key)
    assert build.present(home) == []
    with pytest.raises(InvalidInput):
        build.remove(home, "../blobs")


def test_a_user_managed_environment_is_used_where_it_is(home, clean):
    spec = EnvironmentSpec(name="e", python=PythonSpec(user_managed_dependencies=True, interpreter_path=sys.executable))
    lock, supply = resolve(spec, home=home, settings=Settings(), environ=clean)
    built = build.ensure(lock, supply, home=home)
    assert str(built.python) == lock.python
    assert build.present(home) == []
    with pytest.raises(EnvironmentFailed):
        build.ensure(parse.replace(lock, python="/nowhere/python"), supply, home=home)


def test_an_environment_whose_interpreter_is_gone_is_built_anew(make, home):
    _, built = make("tiny-one")
    python = home / "environments" / built.key / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    _, again = make("tiny-one")
    assert "built with" in again.how
    assert effective({}, Settings(), [])[0].offline is False
