"""Cancelling a submitted run ends its process and all that it started, and never a process that is not its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from sendoff import processes
from sendoff.cli.__main__ import run as command
from sendoff.sdk.runs import run_process
from sendoff.sdk.runs.configuration import ScriptRunConfig
from sendoff.sdk.runs.experiment import Experiment
from sendoff.sdk.workspace import Workspace

SCRIPT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("pids.tmp", "w").write(f"{os.getpid()} {child.pid}")
os.rename("pids.tmp", os.environ["PIDS"])
time.sleep(600)
"""


@pytest.fixture
def ws(tmp_path, monkeypatch):
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text(SCRIPT)
    return Workspace.create("tests", exist_ok=True)


def started(ws, tmp_path):
    run = Experiment(ws, "first").submit(ScriptRunConfig("code", "train.py"))
    until = time.monotonic() + 60
    while not (tmp_path / "pids").exists():
        assert time.monotonic() < until, run.get_details()
        time.sleep(0.05)
    found = [processes.identify(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    assert len(found) == 2
    assert None not in found
    return run, found


def test_run_cancel_ends_the_script_and_what_it_started(ws, tmp_path):
    run, running = started(ws, tmp_path)
    run.cancel()
    assert processes.wait_ended(running, 20) == []
    assert run.get_status() == "Canceled"


def test_the_command_ends_it_too_and_a_second_time_changes_nothing(ws, tmp_path, capsys):
    run, running = started(ws, tmp_path)
    assert command(["run", "cancel", "-r", run.id, "-w", "tests", "-o", "json"]) == 0
    assert processes.wait_ended(running, 20) == []
    assert command(["run", "cancel", "-r", run.id, "-w", "tests", "-o", "json"]) == 0
    assert '"Canceled"' in capsys.readouterr().out


@pytest.fixture
def stranger():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("wrong", [{"start": "1"}, {"boot": "another"}])
def test_a_process_that_only_has_the_number_is_left_alone(stranger, wrong):
    recorded = run_process.recorded(stranger.pid)
    assert not run_process.end({run_process.KEY: {**recorded, **wrong}})
    time.sleep(0.2)
    assert stranger.poll() is None
    assert run_process.end({run_process.KEY: recorded})
    assert stranger.wait(10) != 0


@pytest.mark.parametrize("details", [{}, {"process": os.getpid()}, {"process": None}])
def test_a_run_without_a_process_of_its_own_has_nothing_to_end(details):
    assert not run_process.end(details)
