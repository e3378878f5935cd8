"""From a model's file to an answered request and back, from a shell: real runners, fronts and workers."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from api.running import end_everything

from sendoff.client import service_log

from .conftest import SCRIPT, Cli

SCORE = """\
import json, os

def init():
    global weights
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.txt")) as file:
        weights = file.read()

def run(data):
    if data == "fail":
        raise ValueError("asked to fail")
    return {"answer": ANSWER, "length": len(data)}
"""
ENVIRONMENT = {"name": "mine", "python": {"userManagedDependencies": True, "interpreterPath": sys.executable}}


@pytest.fixture(autouse=True)
def ended(home: Path) -> Iterator[None]:
    """Ends what the test started: services by deleting them, their supervisor by its id."""
    yield
    end_everything(home)


@pytest.fixture
def files(cli: Cli, model_file: Path) -> None:
    """A registered model, a script, and both configuration files."""
    write_script("1")
    Path("inferenceconfig.json").write_text(json.dumps({"entryScript": "score.py", "environment": ENVIRONMENT}))
    Path("deploymentconfig.json").write_text(json.dumps({"computeType": "LOCAL"}))
    assert cli("model", "register", "-n", "mymodel", "-p", str(model_file)).code == 0


def write_script(answer: str, text: str = SCORE) -> None:
    Path("score.py").write_text(text.replace("ANSWER", answer))


DEPLOY = ("model", "deploy", "-n", "svc", "-m", "mymodel:1", "--ic", "inferenceconfig.json")


@pytest.mark.slow
def test_the_whole_story(cli: Cli, script: Cli, files: None):
    assert cli(*DEPLOY, "--dc", "deploymentconfig.json", "--check").code == 0
    assert cli("service", "list").data == []

    done = script(*DEPLOY, "-dc", "deploymentconfig.json", "--tag", "stage=dev", "--description", "demo")
    assert done.code == 0, done.err
    assert done.data["state"] == "Healthy"
    assert done.data["tags"] == {"stage": "dev"}
    uri = done.data["scoringUri"]
    steps = [line.split()[0] for line in done.err.splitlines() if line.startswith("  ")]
    assert list(dict.fromkeys(steps)) == ["validate", "register", "environment", "bundle", "start", "init", "healthy"]

    assert cli("service", "run", "-n", "svc", "-d", '{"data": [[1, 2]]}').data == {"answer": 1, "length": 18}
    Path("request.json").write_text("[1, 2]")
    assert script("service", "run", "-n", "svc", "-d", "@request.json").data["length"] == 6
    assert script("service", "run", "-n", "svc", "-d", "-", "--query", "length", "-o", "tsv", stdin=b"abc").out == "3\n"
    failed = cli("service", "run", "-n", "svc", "-d", "fail")
    assert failed.code == 11
    assert "ValueError: asked to fail" in failed.err and "score.py" in failed.err, "the traceback follows at once"
    asked = re.search(r"sendoff service get-logs -n svc --request (\S+)", failed.err)
    assert asked, failed.err
    assert "asked to fail" in cli("service", "get-logs", "-n", "svc").out
    of_request = cli("service", "get-logs", "-n", "svc", "--request", asked[1]).out
    assert "ValueError: asked to fail" in of_request and "init" not in of_request
    assert cli("service", "get-logs", "-n", "svc", "--request", "another").out == ""
    assert "asked to fail" in cli("service", "get-logs", "-n", "svc", "--since", "10m").out
    assert cli("service", "get-logs", "-n", "svc", "--since", "2100-01-01").out == ""
    assert cli("service", "get-logs", "-n", "svc", "--since", "noon").code == 2
    with subprocess.Popen([str(SCRIPT), "service", "get-logs", "-n", "svc", "-l", "1", "-f"], stdout=-1) as following:
        assert following.stdout is not None
        assert following.stdout.readline()
        again = re.search(r"--request (\S+)", cli("service", "run", "-n", "svc", "-d", "fail").err)
        assert again is not None
        while again[1].encode() not in following.stdout.readline():
            pass  # the test's own limit of time ends it
        following.send_signal(signal.SIGINT)
        assert following.wait() == 0

    assert cli("service", "list", "--query", "[].scoringUri", "-o", "tsv").out == f"{uri}\n"
    assert cli("service", "list", "--tag", "stage=prod").data == []
    assert [row["name"] for row in cli("service", "list", "-c", "local", "--model-name", "mymodel").data] == ["svc"]
    assert "Healthy" in cli("service", "show", "-n", "svc", "-o", "table").out
    assert cli("model", "delete", "-i", "mymodel:1").code == 4

    write_script("2")
    updated = cli("service", "update", "-n", "svc", "--es", "score.py", "--add-tag", "stage=prod")
    assert updated.code == 0, updated.err
    assert updated.data["scoringUri"] == uri
    assert updated.data["tags"] == {"stage": "prod"}
    assert cli("service", "run", "-n", "svc", "-d", "x").data["answer"] == 2
    assert cli("service", "rollback", "-n", "svc").code == 0
    assert cli("service", "run", "-n", "svc", "-d", "x").data["answer"] == 1
    revisions = cli("service", "revisions", "-n", "svc").data
    assert [row["running"] for row in revisions].count(True) == 1
    assert len(revisions) == 3

    tagged = cli("service", "update", "-n", "svc", "--remove-tag", "stage", "-d", "only words")
    assert (tagged.data["tags"], tagged.data["description"]) == ({}, "only words")
    assert len(cli("service", "revisions", "-n", "svc").data) == 3

    sized = cli("service", "update", "-n", "svc", "--workers", "2")
    assert sized.code == 0, sized.err
    assert sized.data["deployment"]["workers"] == 2
    assert sized.data["entryScript"] == "score.py"

    logs = cli("service", "get-logs", "-n", "svc", "-l", "5")
    assert 1 <= len(logs.out.splitlines()) <= 5
    assert isinstance(cli("service", "get-logs", "-n", "svc", "-o", "json").data, str)
    for command in ("get-keys", "get-access-token"):
        assert cli("service", command, "-n", "svc").code == 6

    operations = cli("operation", "list", "--service", "svc", "--query", "[].operationType").data
    assert sorted(operations) == ["Deploy", "Rollback", "Update", "Update"]

    assert cli("service", "delete", "-n", "svc").code == 0
    assert cli("service", "list").data == []
    assert cli("service", "show", "-n", "svc").code == 3
    assert cli("model", "delete", "-i", "mymodel:1").code == 0


@pytest.mark.slow
def test_a_failing_init_prints_file_and_line_ends_with_9_and_overwrite_mends_it(cli: Cli, script: Cli, files: None):
    write_script("1", "def init():\n    raise KeyError('no such weight')\ndef run(data):\n    return 1\n")
    done = script(*DEPLOY)
    assert done.code == 9
    assert done.out == ""
    assert "no such weight" in done.err
    assert 'score.py", line 2, in init' in done.err
    assert "next: sendoff service get-logs -n svc" in done.err
    assert cli("service", "show", "-n", "svc", "--query", "state", "-o", "tsv").out == "Failed\n"
    assert "no such weight" in cli("service", "get-logs", "-n", "svc").out
    write_script("1")
    assert cli(*DEPLOY).code == 4
    mended = cli(*DEPLOY, "--overwrite")
    assert mended.code == 0, mended.err
    assert mended.data["state"] == "Healthy"


@pytest.mark.slow
def test_no_wait_returns_the_operation_which_can_be_followed(cli: Cli, script: Cli, files: None):
    begun = script(*DEPLOY, "--no-wait")
    assert begun.code == 0
    identity = begun.data["id"]
    assert f"sendoff operation show {identity}" in begun.err
    followed = script("operation", "show", identity, "--wait")
    assert followed.code == 0, followed.err
    assert followed.data["state"] == "Succeeded"
    assert next(step["name"] for step in followed.data["steps"]) == "validate"
    assert cli("operation", "show", "absent").code == 3
    assert cli("operation", "list", "--state", "succeeded", "--query", "[].id").data == [identity]


@pytest.mark.slow
def test_ctrl_c_stops_the_waiting_and_not_the_work(script: Cli, files: None):
    write_script("1", "import time\ndef init():\n    time.sleep(3)\ndef run(data):\n    return 1\n")
    process = subprocess.Popen([SCRIPT, *DEPLOY], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    first = process.stderr.readline().decode()
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b""
    identity = first.split()[-1]
    assert f"sendoff operation cancel {identity}" in errors.decode()
    assert b"Traceback" not in errors
    assert script("operation", "show", identity, "--wait").data["state"] == "Succeeded"


def test_what_is_wrong_is_said_before_anything_starts(cli: Cli, files: None):
    Path("broken.json").write_text('{"entryScript": "score.py", "enviroment": {}}')
    Path("empty.json").write_text('{"entryScript": "score.py"}')
    Path("dc.yml").write_text("computeType: local\nprot: 6789\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for code, said, argv in [
            (3, "absent", (*DEPLOY, "-m", "absent:1")),
            (2, "Did you mean 'environment'?", (*DEPLOY, "--ic", "broken.json")),
            (2, "no environment", (*DEPLOY, "--ic", "empty.json")),
            (2, "absent.json", (*DEPLOY, "--ic", "absent.json")),
            (2, "Did you mean 'port'?", (*DEPLOY, "--dc", "dc.yml")),
            (2, "model register -n NAME -p ./model.txt", (*DEPLOY, "-m", "./model.txt")),
            (2, "entry", (*DEPLOY, "--es", "absent.py")),
            (2, "exclude each other", (*DEPLOY, "--cf", "a.yml", "-e", "env")),
            (2, "--environment-version", (*DEPLOY, "--ev", "1")),
            (3, "env", (*DEPLOY, "-e", "env")),
            (2, "service name", (*DEPLOY, "-n", "No_Good")),
            (4, port, (*DEPLOY, "--cp", "local", "--po", port)),
        ]:  # fmt: skip
            done = cli(*argv)
            assert (done.code, done.out) == (code, ""), (argv, done.err)
            assert said in done.err, (argv, done.err)
    assert cli("service", "list").data == []
    assert cli("operation", "list").data == []


@pytest.mark.parametrize(
    "argv",
    [
        ["service", "show"], ["service", "get-logs"], ["service", "rollback"],
        ["service", "reload"], ["service", "revisions"], ["service", "run", "-d", "x"], ["service", "get-keys"],
        ["service", "update", "--add-tag", "a=b"], ["service", "regen-key", "-k", "Primary"],
    ],
)  # fmt: skip
def test_a_service_that_is_not_there_ends_with_3(cli: Cli, argv: list[str]):
    done = cli(*argv, "-n", "absent")
    assert done.code == 3, done.err
    assert "absent" in done.err


def test_deleting_a_service_that_is_not_there_is_no_error_and_says_so(cli: Cli):
    done = cli("service", "delete", "-n", "absent")
    assert (done.code, done.out) == (0, "")
    assert "nothing to delete" in done.err


def test_gc_and_up_answer_on_an_empty_store(cli: Cli):
    assert cli("gc", "--dry-run").code == 0
    assert cli("up").code == 0


@pytest.mark.slow
def test_what_to_type_next_names_the_workspace_and_what_a_missing_module_needs(cli: Cli, script: Cli, model_file: Path):
    assert cli("folder", "attach", "-w", "lab").code == 0
    Path("inferenceconfig.json").write_text(json.dumps({"entryScript": "score.py", "environment": ENVIRONMENT}))
    assert cli("model", "register", "-n", "mymodel", "-p", str(model_file)).code == 0
    write_script("1", f"import json.absent\n{SCORE}")
    local = (*DEPLOY, "--cp", "local")
    done = script(*local)
    assert done.code == 9 and "hint: 'json' is there, but not this part of it" in done.err, done.err
    write_script("1", f"import absent_everywhere\n{SCORE}")
    done = cli(*local, "--overwrite")
    assert done.code == 9 and "provides 'absent_everywhere' is not in this environment" in done.err, done.err
    assert "next: sendoff service get-logs -n svc -w lab" in done.err
    assert "hint: sendoff service show -n svc -w lab" in cli("service", "run", "-n", "svc", "-d", "1").err
    assert "`sendoff service show -n svc -w lab` says why" in cli("service", "metrics", "svc").err
    write_script("1")
    done = cli(*local, "--overwrite")
    assert done.code == 0 and "next: sendoff service run -n svc -w lab -d" in done.err, done.err
    assert "hint: sendoff service get-logs -n svc -w lab" in cli("service", "run", "-n", "svc", "-d", "fail").err


def test_whoever_follows_a_log_sees_its_first_line_and_is_told_of_gaps(monkeypatch: pytest.MonkeyPatch):
    many = "\n".join(f"line {number}" for number in range(2000))
    texts = iter(["", "one\ntwo", "one\ntwo", "one\ntwo\nthree", many])

    class Log:
        def logs(self, workspace: str, service: str, num_lines: int) -> str:
            assert (workspace, service, num_lines) == ("w", "s", 2000)
            return next(texts)

    monkeypatch.setattr(service_log.time, "sleep", lambda seconds: None)
    pieces = service_log.follow(Log(), "w", "s", "")  # type: ignore[arg-type]
    assert [next(pieces), next(pieces)] == ["one\ntwo", "three"]
    assert next(pieces).splitlines() == ["[more was written at once than is shown here]", *many.splitlines()]
