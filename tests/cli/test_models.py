"""`sendoff model`, as scripts written for `az ml` use it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import sendoff
from sendoff.sdk.runs.experiment import Experiment

from .conftest import Cli


def register(cli: Cli, file: Path, *more: str) -> str:
    done = cli("model", "register", "-n", "mymodel", "-p", str(file), *more)
    assert done.code == 0, done.err
    return str(done.data["id"])


def test_registering_gives_the_next_version_and_says_so_on_stderr(cli: Cli, model_file: Path):
    assert register(cli, model_file) == "mymodel:1"
    done = cli("model", "register", "-n", "mymodel", "--model-path", str(model_file))
    assert done.data["id"] == "mymodel:2"
    assert done.err == "Registered mymodel:2.\n"


def test_everything_given_at_registration_is_shown_under_az_ml_s_names(cli: Cli, model_file: Path):
    given = (
        "--tag area=mnist --tag a=b=c --property p=1 -d text --model-framework scikitlearn --run-id r1 "
        "--model-framework-version 0.20.0 --cc 0.5 -gb 1.5 --gc 1 --experiment-name e1"
    )
    register(cli, model_file, *given.split())
    shown = cli("model", "show", "--model-id", "mymodel:1", "-o", "json").data
    assert shown["name"] == "mymodel"
    assert shown["version"] == 1
    assert shown["tags"] == {"area": "mnist", "a": "b=c"}
    assert shown["properties"] == {"p": "1"}
    assert shown["description"] == "text"
    assert (shown["framework"], shown["frameworkVersion"]) == ("ScikitLearn", "0.20.0")
    assert shown["resourceRequirements"] == {"cpu": 0.5, "memoryInGB": 1.5, "gpu": 1}
    assert (shown["runId"], shown["experimentName"]) == ("r1", "e1")
    assert shown["createdTime"].endswith("+00:00")


def test_the_metadata_file_names_model_and_workspace(cli: Cli, model_file: Path):
    register(cli, model_file, "-t", "out.json")
    assert json.loads(Path("out.json").read_text()) == {
        "modelId": "mymodel:1",
        "workspaceName": "default",
        "resourceGroupName": "",
    }


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-p", "absent.pkl"], "absent.pkl"),
        (["-p", "model.txt", "--tag", "noequals"], "KEY=VALUE"),
        (["-p", "model.txt", "--cc", "many"], "--cpu-cores"),
        (["-p", "model.txt", "--model-framework", "sklearn"], "--model-framework"),
        ([], "--model-path is missing"),
        (["-p", "model.txt", "-f", "absent.json"], "absent.json"),
    ],
)
def test_bad_input_ends_with_2_says_what_is_wrong_and_registers_nothing(
    cli: Cli, model_file: Path, argv: list[str], said: str
):
    done = cli("model", "register", "-n", "mymodel", *argv)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""
    assert cli("model", "list").data == []


def recorded_run() -> str:
    """A run of experiment e1 that keeps a model of two files, as a training script leaves it."""
    Path("out/net").mkdir(parents=True)
    Path("out/net/a.bin").write_text("a")
    Path("out/net/b.bin").write_text("b")
    ws = sendoff.Workspace.create("default", exist_ok=True, show_output=False)
    with Experiment(ws, "e1").start_logging() as run:
        run.upload_folder("outputs/net", "out/net")
        run.upload_file("outputs/m.pkl", "out/net/a.bin")
    return str(run.id)


def test_a_file_or_folder_of_a_recorded_run_is_registered_with_where_it_comes_from(cli: Cli):
    run_id = recorded_run()
    kept = ("model", "register", "-n", "mymodel", "--run-id", run_id)
    done = cli(*kept, "--asset-path", "outputs/m.pkl", "--experiment-name", "e1", "--tag", "area=mnist")
    assert done.code == 0, done.err
    assert [file["path"] for file in done.data["files"]] == ["m.pkl"]
    assert (done.data["runId"], done.data["experimentName"]) == (run_id, "e1")
    Path("run.json").write_text(json.dumps({"runId": run_id, "experimentName": "e1"}))
    done = cli("model", "register", "-n", "mymodel", "-f", "run.json", "--asset-path", "./outputs/net/")
    assert [file["path"] for file in done.data["files"]] == ["net/a.bin", "net/b.bin"]
    assert (done.data["id"], done.data["runId"]) == ("mymodel:2", run_id)


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["--asset-path", "outputs/m.pkl"], 2, "--run-id is missing"),
        (["--asset-path", "outputs/m.pkl", "-p", "out/net"], 2, "exclude each other"),
        (["--asset-path", "outputs/x.pkl", "--run-id", "RUN"], 2, "outputs/m.pkl, outputs/net/a.bin"),
        (["--asset-path", "outputs/m.pkl", "--run-id", "RUN", "--experiment-name", "e2"], 2, "experiment 'e1'"),
        (["--asset-path", "outputs/m.pkl", "--run-id", "none"], 3, "none"),
    ],
)
def test_what_a_run_does_not_keep_is_said_and_nothing_is_registered(cli: Cli, argv: list[str], code: int, said: str):
    run_id = recorded_run()
    done = cli("model", "register", "-n", "mymodel", *[run_id if one == "RUN" else one for one in argv])
    assert done.code == code, done.err
    assert said in done.err
    assert cli("model", "list").data == []


def test_a_bad_name_is_refused(cli: Cli, model_file: Path):
    done = cli("model", "register", "-n", "../evil", "-p", str(model_file))
    assert done.code == 2
    assert "model name" in done.err


def test_lists_filter_and_the_query_gives_what_scripts_put_into_variables(cli: Cli, model_file: Path):
    register(cli, model_file, "--tag", "stage=dev")
    register(cli, model_file, "--tag", "stage=prod", "--property", "p=1")
    cli("model", "register", "-n", "other", "-p", str(model_file))
    newest = cli("model", "list", "--model-name", "mymodel", "--latest", "--query", "[0].id", "-o", "tsv")
    assert newest.out == "mymodel:2\n"
    ids = [row["id"] for row in cli("model", "list", "-n", "mymodel", "--tag", "stage=dev").data]
    assert ids == ["mymodel:1"]
    assert [row["id"] for row in cli("model", "list", "--tag", "stage", "--property", "p=1").data] == ["mymodel:2"]
    assert {row["name"] for row in cli("model", "list").data} == {"mymodel", "other"}


@pytest.mark.parametrize("argv", [["-i", "mymodel"], ["-n", "mymodel"], ["-n", "mymodel", "--version", "2"]])
def test_show_finds_the_newest_or_the_named_version(cli: Cli, model_file: Path, argv: list[str]):
    register(cli, model_file)
    register(cli, model_file)
    assert cli("model", "show", *argv).data["id"] == "mymodel:2"


def test_show_finds_the_model_of_a_run(cli: Cli, model_file: Path):
    register(cli, model_file, "-r", "run_7")
    assert cli("model", "show", "--run-id", "run_7").data["id"] == "mymodel:1"
    assert cli("model", "show", "--run-id", "none").code == 3


def test_what_is_not_there_ends_with_3(cli: Cli):
    done = cli("model", "show", "-i", "absent:1")
    assert done.code == 3
    assert "absent:1" in done.err
    assert done.out == ""


def test_update_changes_tags_and_adds_properties(cli: Cli, model_file: Path):
    register(cli, model_file, "--tag", "a=1", "--tag", "b=2")
    done = cli(
        "model", "update", "-i", "mymodel:1", "--add-tag", "c=3", "--remove-tag", "a", "--add-property", "p=q",
        "--description", "new",
    )  # fmt: skip
    assert done.data["tags"] == {"b": "2", "c": "3"}
    assert done.data["properties"] == {"p": "q"}
    assert done.data["description"] == "new"
    assert cli("model", "update", "-i", "mymodel:1", "--add-property", "p=other").code == 4


def test_download_writes_the_files_and_refuses_to_replace_them(cli: Cli, model_file: Path):
    register(cli, model_file)
    done = cli("model", "download", "--model-id", "mymodel:1", "--target-dir", "model_folder")
    assert Path(done.data["path"]).read_text() == "weights\n"
    assert cli("model", "download", "-i", "mymodel:1", "-t", "model_folder").code in (2, 4)
    assert cli("model", "download", "-i", "mymodel:1", "-t", "model_folder", "--overwrite").code == 0


def test_delete_removes_a_version(cli: Cli, model_file: Path):
    register(cli, model_file)
    assert cli("model", "delete", "-i", "mymodel:1").code == 0
    assert cli("model", "list").data == []
    assert cli("model", "delete", "-i", "mymodel:1").code == 3


def test_the_console_script_does_the_same_in_a_process_of_its_own(script: Cli, model_file: Path):
    assert script("model", "register", "-n", "m", "-p", str(model_file), "-o", "none").out == ""
    done = script("model", "list", "--query", "[0].id", "-o", "tsv")
    assert (done.code, done.out, done.err) == (0, "m:1\n", "")


def test_options_may_stand_before_the_command(cli: Cli, model_file: Path):
    register(cli, model_file)
    assert cli("-o", "tsv", "--query", "[].id", "model", "list").out == "mymodel:1\n"
    assert cli("model", "-o", "yaml", "list", "-o", "tsv", "--query", "[].id").out == "mymodel:1\n"


def test_only_show_errors_drops_messages(cli: Cli, model_file: Path):
    done = cli("model", "register", "-n", "m", "-p", str(model_file), "--only-show-errors")
    assert done.err == ""


@pytest.mark.parametrize("form", ["json", "jsonc", "yaml", "tsv", "table", "none"])
@pytest.mark.parametrize(
    "words", [("model", "list"), ("workspace", "list"), ("model", "show", "-i", "mymodel:1"), ("version",)]
)
def test_every_form_prints_on_stdout_alone(cli: Cli, model_file: Path, form: str, words: tuple[str, ...]):
    register(cli, model_file)
    done = cli(*words, "-o", form)
    assert (done.code, done.err) == (0, "")
    assert bool(done.out) == (form != "none")


def test_a_wrong_form_and_a_wrong_query_are_usage_errors(cli: Cli):
    assert cli("model", "list", "-o", "xml").code == 2
    assert cli("model", "list", "--query", "[").code == 2


def test_a_table_is_what_a_terminal_gets(home: Path, model_file: Path):
    """A real pseudo-terminal: python's own pty."""
    import pty
    import subprocess

    from .conftest import SCRIPT

    subprocess.run(
        [SCRIPT, "model", "register", "-n", "m", "-p", str(model_file), "-o", "none"], check=True, capture_output=True
    )
    outside, inside = pty.openpty()
    process = subprocess.Popen([SCRIPT, "model", "list"], stdout=inside, stderr=subprocess.PIPE)
    os.close(inside)
    shown = b""
    while True:
        try:
            part = os.read(outside, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(outside)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert shown.split()[:2] == [b"Id", b"Framework"]
