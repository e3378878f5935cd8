"""``sendoff model profile``, ``sendoff profile`` and ``--pi`` on deploy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from api.running import end_everything

from sendoff.cli import deployment_flags
from sendoff.errors import InvalidInput
from sendoff.spec.deployment import DeploymentSpec

from .conftest import Cli
from .test_deployment_flags import parsed

SCORE = """
import json


def init():
    pass


def run(data):
    return len(json.loads(data)["data"])
"""


@pytest.fixture
def ready(cli: Cli, home: Path):
    Path("score.py").write_text(SCORE)
    environment = {"name": "here", "python": {"userManagedDependencies": True, "interpreterPath": sys.executable}}
    Path("ic.json").write_text(json.dumps({"entryScript": "score.py", "environment": environment}))
    Path("m.txt").write_text("1")
    cli("model", "register", "-n", "m", "-p", "m.txt", "-t", "model.json")
    yield cli
    end_everything(home)


def test_bodies_come_from_a_file_a_folder_or_the_command_line_and_the_result_is_shown(ready: Cli) -> None:
    """Pain 48: the profiler is a load generator of this machine against the real bundle."""
    Path("bodies").mkdir()
    for n in range(3):
        Path(f"bodies/{n}.json").write_text(json.dumps({"data": [0] * n}))
    common = ("--ic", "ic.json", "--target", "process", "--cc", "1")
    done = ready(
        *("model", "profile", "-n", "sizing", "-f", "model.json", "--input-folder", "bodies", *common),
        *("-t", "profile.json", "--add-tag", "recommendedWorkers", "--add-tag", "by=me", "--chart", "c.png"),
    )
    assert done.code == 0, done.err
    record = done.data
    assert record["successRate"] == 100.0
    assert record["sizes"][0]["levels"][0]["concurrency"] == 1
    assert record["limitsKept"] is False
    assert json.loads(Path("profile.json").read_text()) == record
    assert "Recommended: " in done.err
    assert "queue p95" in done.err
    assert "█" in done.err
    assert Path("c.png").read_bytes().startswith(b"\x89PNG")
    assert ready("model", "show", "-i", "m:1").data["tags"] == {"recommendedWorkers": "1", "by": "me"}
    shown = ready("profile", "show", "-n", "sizing")
    assert shown.data == record
    assert "Recommended: " in shown.err
    assert [one["name"] for one in ready("profile", "list", "-m", "m").data] == ["sizing"]
    assert ready("profile", "list", "-m", "other").data == []
    one = ready("model", "profile", "-n", "one", "-m", "m", "-d", '{"data": [1]}', *common)
    assert one.data["successRate"] == 100.0
    failed = ready("model", "profile", "-n", "bad", "-m", "m", "-d", "no json", *common)
    assert failed.code == 9
    assert "JSONDecodeError" in failed.err
    assert 'score.py", line 10, in run' in failed.err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "either a dataset or files"),
        (("--input-file", "nothing.jpg"), "nothing.jpg is no file"),
        (("--input-folder", "nothing"), "nothing is no folder"),
        (("--input-file", "m.txt", "-d", "x"), "exclude each other"),
        (("-d", "x", "--cc", "0"), "cpu has to be at least 0.1"),
        (("-d", "x", "--chart", "nowhere/c.png"), "its folder does not exist"),
    ],
)
def test_what_cannot_work_is_said_at_once(ready: Cli, flags: tuple[str, ...], said: str) -> None:
    done = ready("model", "profile", "-n", "p", "-m", "m", "--ic", "ic.json", *flags)
    assert done.code == 2
    assert said in done.err
    assert ready("profile", "list").data == []


def test_a_chart_without_matplotlib_says_what_to_install(ready: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = ready("model", "profile", "-n", "p", "-m", "m", "--ic", "ic.json", "-d", "x", "--chart", "c.png")
    assert done.code == 6
    assert "pip install 'sendoff-ml[profile]'" in done.err


def test_a_deployment_takes_what_a_profile_recommends_unless_a_flag_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({"recommendedCpu": 0.5, "recommendedMemoryInGB": 0.7, "recommendedWorkers": 2}))
    base = DeploymentSpec(compute_type="ACI", cpu_cores=3.0)
    made = deployment_flags.overridden(base, parsed("--pi", str(file)))
    assert (made.cpu_cores, made.memory_gb, made.workers) == (0.5, 0.7, 2)
    made = deployment_flags.overridden(base, parsed("--pi", str(file), "--cc", "1.5"))
    assert (made.cpu_cores, made.memory_gb) == (1.5, 0.7)
    local = deployment_flags.overridden(DeploymentSpec(compute_type="LOCAL"), parsed("--pi", str(file)))
    assert (local.cpu_cores, local.memory_gb, local.workers) == (None, None, 2)
    file.write_text('{"state": "Failed"}')
    with pytest.raises(InvalidInput, match="recommends nothing"):
        deployment_flags.overridden(base, parsed("--pi", str(file)))
