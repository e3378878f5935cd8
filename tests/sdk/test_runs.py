"""Experiments and runs: what a script logs and keeps is found again, and models are registered from it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap

import pytest
from stored_text import files_with

from sendoff.sdk.exceptions import (
    ActivityFailedException,
    ExperimentExecutionException,
    RunEnvironmentException,
    UserErrorException,
    WebserviceException,
)
from sendoff.sdk.model import Model
from sendoff.sdk.runs.automl import AutoMLRun
from sendoff.sdk.runs.configuration import Estimator, ScriptRunConfig
from sendoff.sdk.runs.experiment import Experiment
from sendoff.sdk.runs.run import Run
from sendoff.sdk.unsupported import FeatureNotSupported
from sendoff.sdk.workspace import Workspace


@pytest.fixture
def ws(tmp_path, monkeypatch):
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Workspace.create("tests", exist_ok=True)


def test_what_is_logged_is_found_again_in_sdk_v1s_shapes(ws):
    with Experiment(ws, "first").start_logging() as run:
        run.log("accuracy", 0.5)
        run.log("accuracy", 0.75)
        run.log("loss", float("nan"))
        run.log_list("errors", [1, 2])
        run.log_list("errors", [3])
        run.log_row("table", x=1, y=2)
        run.log_row("table", x=3, y=4)
        run.log_table("whole", {"a": [1, 2]})
        run.tag("colour", "red")
        run.add_properties({"p": "1"})
    found = run.get_metrics()
    assert math.isnan(found.pop("loss"))
    assert found == {
        "accuracy": [0.5, 0.75],
        "errors": [1, 2, 3],
        "table": {"x": [1, 3], "y": [2, 4]},
        "whole": {"a": [1, 2]},
    }
    assert (run.get_status(), run.tags, run.properties, run.number) == ("Completed", {"colour": "red"}, {"p": "1"}, 1)
    assert [one.id for one in Experiment(ws, "first").get_runs()] == [run.id]
    with pytest.raises(ExperimentExecutionException, match="cannot change"):
        run.add_properties({"p": "2"})


def test_an_exception_makes_the_run_fail(ws):
    with pytest.raises(ZeroDivisionError), Experiment(ws, "first").start_logging() as run:
        _ = 1 / 0
    assert run.get_status() == "Failed"
    assert "division" in run.get_details()["error"]["error"]["message"]


def test_files_are_kept_listed_and_fetched(ws, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a")
    (tmp_path / "in" / "b.txt").write_text("b")
    run = Experiment(ws, "files").start_logging()
    run.upload_file("outputs/one.txt", str(tmp_path / "in" / "a.txt"))
    run.upload_folder("outputs/in", str(tmp_path / "in"))
    assert run.get_file_names() == ["outputs/in/a.txt", "outputs/in/b.txt", "outputs/one.txt"]
    run.download_file("outputs/one.txt", str(tmp_path / "got.txt"))
    assert (tmp_path / "got.txt").read_text() == "a"
    run.download_files(prefix="outputs/in", output_directory=str(tmp_path / "out"), append_prefix=False)
    assert (tmp_path / "out" / "b.txt").read_text() == "b"
    with pytest.raises(UserErrorException, match=r"nothing\.txt was not found"):
        run.download_file("nothing.txt")
    with pytest.raises(UserErrorException, match="absent does not exist"):
        run.upload_file("x", str(tmp_path / "absent"))


def test_a_model_is_registered_from_what_a_run_keeps(ws, tmp_path):
    (tmp_path / "m.txt").write_text("weights")
    run = Experiment(ws, "models").start_logging()
    run.upload_file("outputs/model/m.txt", str(tmp_path / "m.txt"))
    one = run.register_model("single", "outputs/model/m.txt", tags={"a": "b"})
    folder = run.register_model("folder", model_path="outputs/model")
    assert (one.id, one.run_id, one.experiment_name, one.tags) == ("single:1", run.id, "models", {"a": "b"})
    assert [file.path for file in folder._files] == ["model/m.txt"]
    assert [model.id for model in Model.list(ws, run_id=run.id)] == ["folder:1", "single:1"]
    with pytest.raises(WebserviceException, match="Could not locate the provided model_path"):
        run.register_model("none", "outputs/absent.pkl")


def test_outside_of_a_run_logging_prints(monkeypatch, capsys):
    monkeypatch.delenv("AZUREML_RUN_ID", raising=False)
    run = Run.get_context()
    assert run.id.startswith("OfflineRun_")
    run.log("accuracy", 0.5)
    assert "accuracy" in capsys.readouterr().out
    with pytest.raises(AttributeError):
        _ = run.experiment
    with pytest.raises(RunEnvironmentException):
        Run.get_context(allow_offline=False)


def test_a_submitted_script_finds_its_run_and_its_outputs_are_kept(ws, tmp_path, capsys):
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text(
        textwrap.dedent(
            """
            import sys
            from sendoff.sdk.runs.run import Run
            run = Run.get_context()
            run.log("alpha", float(sys.argv[2]))
            print("training", run.experiment.name)
            open("outputs/model.txt", "w").write("weights")
            """
        )
    )
    config = ScriptRunConfig(source_directory=str(folder), script="train.py", arguments=["--alpha", 0.25])
    run = Experiment(ws, "submitted").submit(config)
    run.wait_for_completion(show_output=True)
    assert "training submitted" in capsys.readouterr().out
    assert run.get_metrics() == {"alpha": 0.25}
    assert run.get_file_names() == ["azureml-logs/70_driver_log.txt", "outputs/model.txt"]
    assert run.register_model("trained", "outputs/model.txt").id == "trained:1"
    assert not (folder / "outputs").exists()


def test_a_script_that_fails_says_what_it_printed(ws, tmp_path):
    (tmp_path / "bad.py").write_text("raise SystemExit('out of data')")
    run = Experiment(ws, "failing").submit(Estimator(str(tmp_path), entry_script="bad.py", script_params={"--x": 1}))
    with pytest.raises(ActivityFailedException, match="out of data"):
        run.wait_for_completion()
    assert run.get_status() == "Failed"
    with pytest.raises(ExperimentExecutionException, match=r"absent\.py"):
        Experiment(ws, "failing").submit(ScriptRunConfig(str(tmp_path), "absent.py"))
    with pytest.raises(FeatureNotSupported, match="object"):
        Experiment(ws, "failing").submit(object())


def test_a_submitted_script_outlives_the_process_that_submitted_it(ws, tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "slow.py").write_text("import time; time.sleep(1.5); open('outputs/x', 'w').write('x')")
    code = (
        "from sendoff.sdk.workspace import Workspace\nfrom sendoff.sdk.runs.experiment import Experiment\n"
        "from sendoff.sdk.runs.configuration import ScriptRunConfig\n"
        "ws = Workspace('', '', 'tests')\n"
        f"print(Experiment(ws, 'e').submit(ScriptRunConfig({str(tmp_path / 'code')!r}, 'slow.py')).id)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    run = Run.get(ws, done.stdout.strip().splitlines()[-1])
    assert run.wait_for_completion()["status"] == "Completed"
    assert "outputs/x" in run.get_file_names()


def test_the_best_child_of_an_automl_run_gives_its_model(ws, tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04N.")
    parent = Experiment(ws, "automl").start_logging()
    for score in (0.5, 0.9, 0.7):
        child = parent.child_run()
        child.log("AUC_weighted", score)
        child.upload_file("outputs/model.pkl", str(tmp_path / "model.pkl"))
        child.complete()
    parent.add_properties({"primary_metric": "AUC_weighted"})
    run = AutoMLRun(Experiment(ws, "automl"), parent.id)
    best, fitted = run.get_output()
    assert best.get_metrics() == {"AUC_weighted": 0.9}
    assert fitted is None
    model = run.register_model(model_name="best", description="d", tags={"t": "1"})
    assert (model.id, model.run_id, run.model_id) == ("best:1", best.id, "best")


def test_the_key_vault_keeps_secrets_encrypted(ws, tmp_path):
    vault = ws.get_default_keyvault()
    vault.set_secret("password", "hunter2")
    assert vault.get_secret("password") == "hunter2"
    assert vault.get_secret("absent") is None
    assert vault.list_secrets() == [{"name": "password"}]
    assert files_with(tmp_path / "home", "hunter2") == []
    vault.delete_secret("password")
    with pytest.raises(UserErrorException, match="no secret 'password'"):
        vault.delete_secret("password")
