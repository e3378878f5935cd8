"""Profiles of real services: processes under load, a container with its limits in force."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import article
import container_engine
import environment_cache
import pytest

from sendoff import Dataset, Environment, InferenceConfig, Model, ModelProfile
from sendoff.containers.engine import connect
from sendoff.containers.labels import HOME, home_id
from sendoff.errors import Cancelled, ScriptFailed
from sendoff.profiling.profile_steps import host_cores
from sendoff.sdk.data.types import PromoteHeadersBehavior
from sendoff.sdk.exceptions import WebserviceException

FACADE = Path(__file__).parents[2] / "packages" / "azureml" / "src"
SCORE = """
import json


def init():
    global ballast
    ballast = bytearray(30_000_000)


def run(data):
    row = json.loads(data)["data"][0]
    if row[0] == "boom":
        raise ValueError("cannot take 'boom', as the script said")
    return [sum(row)]
"""
RAW = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    pass


@rawhttp
def run(request):
    body = request.get_data(False)
    if request.headers.get("Content-Type") != "image/jpeg" or not body.startswith(b"\\xff\\xd8"):
        return AMLResponse("not a picture", 415)
    return AMLResponse(str(len(body)), 200)
"""


@pytest.fixture
def model(ws):
    Path("m.txt").write_text("1")
    return Model.register(ws, "m.txt", "m")


def requests(ws, *rows, name="requests"):
    Path("rows.txt").write_text("\n".join(json.dumps({"data": [list(row)]}) for row in rows))
    store = ws.get_default_datastore()
    store.upload_files(["rows.txt"], target_path=name, overwrite=True, show_progress=False)
    made = Dataset.Tabular.from_delimited_files(
        (store, f"{name}/rows.txt"), separator="\n", header=PromoteHeadersBehavior.NO_HEADERS
    )
    return made.register(ws, name, create_new_version=True)


def config(here, code=SCORE):
    Path("score.py").write_text(code)
    return InferenceConfig("score.py", environment=here)


def left_behind(home):
    return [
        str(path.relative_to(home))
        for folder in ("run", "bundles", "staging")
        for path in (home / folder).glob("*")
        if not path.name.startswith(".") and not path.name.endswith(".lock")  # locks, and the supervisor's own mark
    ]


def test_a_profile_measures_the_real_service_recommends_and_leaves_nothing(ws, model, here, home, cleaned, capsys):
    data = requests(ws, (1, 2), (3, 4), (5, 6))
    tags = {"recommendedCpu": None, "sized": "yes"}
    profile = Model.profile(ws, "sizing", [model], config(here), data, cpu=1.0, target="process", add_tags=tags)
    profile.wait_for_completion(True)
    shown = capsys.readouterr().out
    assert "measure" in shown
    assert "limits nothing" in shown
    details = profile.get_details()
    assert details["requestedCpu"] == 1.0
    assert details["requestedMemoryInGb"] == details["requestedMemoryInGB"] == 15.0
    assert details["totalQueries"] == details["successQueries"] > 20
    assert details["successRate"] == 100.0
    assert 0 < details["latencyPercentile50InMs"] <= details["latencyPercentile99InMs"]
    assert details["recommendedCpu"] >= 0.1
    # The script holds 30 MB of its own.
    assert details["maxUtilizedMemoryInGB"] * 1024 > 30
    (size,) = profile.get_sizes()
    assert size["workers"] == 1
    assert size["first_answer_ms"] > 0
    assert size["start_seconds"] > 0
    for level in size["levels"]:
        assert level["errors"] == 0
        assert level["cpu"] > 0
        assert level["total"]["p50"] >= level["run"]["p50"] > 0
    assert [level["concurrency"] for level in size["levels"]][:2] == [1, 2]
    again = ModelProfile(ws, "sizing")
    assert again.recommended_cpu == details["recommendedCpu"]
    assert (again.state, again.model_ids, again.input_dataset_id) == ("Succeeded", ["m:1"], data.id)
    assert again.latency_percentile_99_in_ms == details["latencyPercentile99InMs"]
    assert set(details) < set(again.serialize())
    assert Model(ws, "m").tags == {"recommendedCpu": str(details["recommendedCpu"]), "sized": "yes"}
    assert Path(profile.save_chart("chart.png")).read_bytes().startswith(b"\x89PNG")
    assert again.deploy_configuration(auth_enabled=True)._spec().cpu_cores == details["recommendedCpu"]
    assert left_behind(home) == []


def test_the_articles_sample_runs_unchanged(ws, here, home, cleaned):
    blocks = article.python_blocks()
    data = next(block for block in blocks if "sample_request_data.txt" in block)
    sample = next(block for block in blocks if "Model.profile(ws" in block)
    tip = (
        "model.add_tags({'requestedCpu': details['requestedCpu'],\n"
        "                'requestedMemoryInGb': details['requestedMemoryInGb']})\n"
    )
    assert tip.replace("\n", "\n> ").rstrip("> ").split("\n")[0] in article.article().read_text()
    Path("path-to-score.py").write_text(SCORE)
    Path("m.txt").write_text("1")
    ws.write_config()
    code = (
        "import sys\nfrom azureml.core import Workspace, Model, Environment\nws = Workspace.from_config()\n"
        "model_id = Model.register(ws, 'm.txt', 'mymodel').id\nmyenv = Environment('here')\n"
        "myenv.python.user_managed_dependencies = True\nmyenv.python.interpreter_path = sys.executable\n"
        f"{data}\n{sample}\n{tip}\nprint(model.tags)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(FACADE), "SENDOFF_ACI_TARGET": "process"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "{'requestedCpu': '3.5', 'requestedMemoryInGb': '15.0'}"


def test_pictures_in_a_folder_are_sent_as_they_are(ws, model, here, cleaned):
    Path("pictures").mkdir()
    for n in range(3):
        Path(f"pictures/{n}.jpg").write_bytes(b"\xff\xd8" + bytes([n]) * 1000)
    data = Dataset.File.from_files("pictures")
    profile = Model.profile(ws, "raw", [model], config(here, RAW), data, cpu=1.0, target="process")
    profile.wait_for_completion()
    details = profile.get_details()
    assert details["successRate"] == 100.0
    assert profile._view.result.body_bytes == 1002.0


def test_a_script_that_fails_in_run_is_quoted(ws, model, here, home, cleaned):
    data = requests(ws, ("boom", 1))
    profile = Model.profile(ws, "boom", [model], config(here), data, cpu=1.0, target="process")
    with pytest.raises(ScriptFailed, match="ValueError: cannot take 'boom', as the script said") as caught:
        profile.wait_for_completion()
    assert isinstance(caught.value, WebserviceException)
    assert "score.py" in caught.value.context["traceback"]
    assert profile.state == "Failed"
    assert profile.get_details()["state"] == "Failed"
    assert left_behind(home) == []


def test_a_script_that_fails_in_init_is_quoted(ws, model, here, home, cleaned):
    broken = config(here, "def init():\n    raise RuntimeError('no weights')\n\n\ndef run(data):\n    return 1\n")
    profile = Model.profile(ws, "broken", [model], broken, requests(ws, (1, 2)), target="process")
    with pytest.raises(ScriptFailed, match=r"no weights.*score\.py, line 2"):
        profile.wait_for_completion()
    assert left_behind(home) == []


def test_requests_that_fail_now_and_then_are_counted(ws, model, here, cleaned):
    data = requests(ws, (1, 2), (3, 4), (5, 6), ("boom", 1))
    profile = Model.profile(ws, "some", [model], config(here), data, cpu=1.0, target="process")
    profile.wait_for_completion()
    details = profile.get_details()
    assert 0 < details["successRate"] < 100
    assert profile.get_sizes()[0]["levels"][0]["statuses"]["500"] > 0
    assert any("with an error" in reason for reason in profile.reasons)


def test_what_cannot_work_is_said_before_anything_starts(ws, model, here, home):
    Path("two.csv").write_text("a,b\n1,2\n")
    two = Dataset.Tabular.from_delimited_files("two.csv")
    good = requests(ws, (1, 2))
    for arguments, said in (
        ({"input_dataset": two}, "has 2 columns"),
        ({"input_dataset": None}, "needs request bodies"),
        ({"input_dataset": "nothing"}, "no dataset 'nothing'"),
        ({"input_dataset": good, "cpu": 0.01}, "cpu has to be at least 0.1"),
        ({"input_dataset": good, "target": "moon"}, "'moon' is not supported"),
        ({"input_dataset": good, "profile_name": ""}, "no name"),
    ):
        given = {"profile_name": "p", "target": "process", **arguments}
        with pytest.raises(WebserviceException, match=said):
            Model.profile(ws, models=[model], inference_config=config(here), **given)
    with pytest.raises(WebserviceException, match="no profile 'p'"):
        ModelProfile(ws, "p")
    assert left_behind(home) == []


def test_a_profile_can_be_cancelled_while_it_measures(ws, model, here, home, cleaned):
    profile = Model.profile(ws, "long", [model], config(here), requests(ws, (1, 2)), target="process")
    until(lambda: measuring(profile))
    ws._client.cancel_operation(profile.id)
    with pytest.raises(Cancelled):
        profile.wait_for_completion()
    assert profile.state == "Cancelled"
    assert left_behind(home) == []


def test_a_profile_whose_runner_is_killed_goes_on_and_measures_no_size_twice(ws, model, here, home, cleaned):
    several = len(host_cores()) > 1  # with one core alone there is one size, and it is begun anew
    profile = Model.profile(ws, "killed", [model], config(here), requests(ws, (1, 2)), target="process")
    until(lambda: measuring(profile, "2 workers: " if several else "1 worker: "))
    before = profile.get_sizes()
    assert len(before) == (1 if several else 0)
    os.kill(runner_of(home, profile.id), signal.SIGKILL)
    profile.wait_for_completion()
    assert profile.state == "Succeeded"
    sizes = profile.get_sizes()
    assert [size["workers"] for size in sizes] == sorted({1, min(2, len(host_cores())), len(host_cores())})
    assert sizes[: len(before)] == before
    assert ws._client.operation(profile.id).attempts == 2
    assert left_behind(home) == []


def measuring(profile, what=""):
    step = next(s for s in profile.workspace._client.operation(profile.id).steps if s.name == "measure")
    return "at once" in step.message and what in step.message


def runner_of(home, id_):
    import sqlite3

    with sqlite3.connect(home / "sendoff.db") as connection:
        return connection.execute("SELECT lease_pid FROM operations WHERE id = ?", (id_,)).fetchone()[0]


def until(what, seconds=120.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_in_a_container_the_limits_are_in_force_once_it_is_healthy(ws, model, home, cleaned, monkeypatch):
    monkeypatch.setenv("SENDOFF_BASE_IMAGE", container_engine.base_image())
    environment_cache.lend_layers(home)
    engine = connect()
    seen, stop = [], threading.Event()

    def watch():
        wanted = {"label": [f"{HOME}={home_id(home)}"]}
        while not stop.wait(0.1):
            for one in engine.call("GET", "/containers/json", query={"filters": wanted}) or []:
                try:
                    facts = engine.call("GET", f"/containers/{one['Id']}/json")["HostConfig"]
                except Exception:
                    continue
                now = (facts["NanoCpus"] / 1e9, facts["Memory"] // 2**20)
                if now not in seen:
                    seen.append(now)

    plain = Environment("plain")
    plain.python.conda_dependencies.set_python_version("3.11")
    for package in [*plain.python.conda_dependencies.pip_packages]:
        plain.python.conda_dependencies.remove_pip_package(package)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        profile = Model.profile(
            ws,
            "boxed",
            [model],
            config(plain),
            requests(ws, (1, 2), (3, 4)),
            cpu=0.5,
            memory_in_gb=0.5,
            target="docker",
        )
        profile.wait_for_completion(True)
    finally:
        stop.set()
        watcher.join()
    found = profile._view.result
    assert found.limits_kept
    assert [(size.cpu, size.memory_gb, size.workers) for size in found.sizes] == [(0.25, 0.5, 1), (0.5, 0.5, 1)]
    assert seen[0] == (0.0, 0)  # without any limit until it was healthy
    assert {(0.25, 512), (0.5, 512)} <= set(seen)
    tried = (found.recommendation.cpu, int(found.recommendation.memory_gb * 1024))
    assert tried in seen
    assert any("tried with these limits" in reason for reason in found.recommendation.reasons)
    for size in found.sizes:
        assert size.idle_memory_mb > 30  # the script's own ballast
        assert all(level.throttled is not None and level.cpu <= size.cpu * 1.3 for level in size.levels)
    assert not engine.call(
        "GET", "/containers/json", query={"all": "1", "filters": {"label": [f"{HOME}={home_id(home)}"]}}
    )
    assert left_behind(home) == []
