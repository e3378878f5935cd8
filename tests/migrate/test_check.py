"""`sendoff migrate check` reads SDK v1 code without importing it, and says line by line what becomes of it."""

from __future__ import annotations

import json
import subprocess
import textwrap

import pytest
from command_line import sendoff, sendoff_process

from sendoff.errors import InvalidInput
from sendoff.migrate import MAPPED, RUNS, UNSUPPORTED, check
from sendoff.migrate.commands import CommandFacts
from sendoff.migrate.findings import Report

COMMANDS = {
    "model deploy": CommandFacts(flags=["-n", "--name", "--ic", "-ic", "-m", "--overwrite"]),
    "workspace create": CommandFacts(flags=["-w"]),
    "pipeline list": CommandFacts(flags=[], refused=True, instead="Run the steps yourself."),
}


@pytest.fixture
def look(tmp_path):
    def run(**files: str) -> Report:
        for name, text in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_text(textwrap.dedent(text))
        return check(tmp_path, COMMANDS)

    return run


def verdicts(report: Report) -> dict[str, str]:
    return {one.what: one.verdict for file in report.files for one in file.findings}


def test_a_deploy_script_is_told_line_by_line(look):
    report = look(
        deploy__py="""\
        from azureml.core import Workspace
        from azureml.core.model import InferenceConfig, Model
        from azureml.core.webservice import AciWebservice

        ws = Workspace.from_config()
        model = Model(ws, "m")
        config = AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1, dns_name_label="x", colour="red")
        service = Model.deploy(ws, "svc", [model], InferenceConfig("score.py"), config)
        service.wait_for_deployment(True)
        service.explode()
        """
    )
    found = verdicts(report)
    assert found["Model.deploy"] == RUNS
    assert found["Webservice.wait_for_deployment"] == RUNS
    assert found["Workspace.from_config"] == MAPPED
    assert found["AciWebservice.deploy_configuration(dns_name_label=)"] == MAPPED
    assert found["AciWebservice.deploy_configuration(colour=)"] == UNSUPPORTED
    assert found["Webservice.explode"] == UNSUPPORTED
    lines = {one.what: one.line for one in report.files[0].findings}
    assert (lines["Workspace.from_config"], lines["Webservice.explode"]) == (5, 10)
    assert report.verdict == UNSUPPORTED


def test_what_is_refused_says_what_to_use(look):
    report = look(
        train__py="""\
        from azureml.core import Workspace
        from azureml.pipeline.core import Pipeline
        from azureml.train.automl import AutoMLConfig

        ws = Workspace.from_config()
        config = AutoMLConfig(task="classification")
        run = Pipeline(ws, []).submit("e")
        """
    )
    found = {one.what: one for file in report.files for one in file.findings}
    assert found["AutoMLConfig"].verdict == UNSUPPORTED
    assert "Model.register" in found["AutoMLConfig"].message
    assert found["Pipeline.submit"].verdict == UNSUPPORTED
    assert found["from azureml.train.automl import AutoMLConfig"].verdict == MAPPED


def test_names_that_are_not_there_are_told_with_where_they_are(look):
    report = look(
        a__py="from azureml.core import InferenceConfig\nimport azureml.nonsense\n"
        "from azureml.core.model import Modle\n"
    )
    found = {one.what: one.message for file in report.files for one in file.findings}
    assert "it is in azureml.core.model" in found["from azureml.core import InferenceConfig"]
    assert "no such module" in found["azureml.nonsense"]
    assert "did you mean Model?" in found["from azureml.core.model import Modle"]


def test_other_peoples_names_are_left_alone(look):
    report = look(
        b__py="""\
        from azureml.core import Image, Model
        from PIL import Image
        Image.open("x.png")
        for model in []:
            model.predict()
        Model, other = 1, 2
        Model.predict()
        """
    )
    assert [one for one in verdicts(report).values() if one == UNSUPPORTED] == []


def test_an_entry_script_is_judged_by_what_the_worker_answers(look):
    report = look(
        score__py="""\
        from sklearn.externals import joblib
        from azureml.contrib.services.aml_response import AMLResponse
        from azureml.core.model import Model

        def init():
            global model
            model = joblib.load(Model.get_model_path("m"))

        def run(request):
            if request.method == "GET":
                return AMLResponse("x", 200)
        """
    )
    assert report.files[0].kind == "entry script"
    found = {one.what: one for one in report.files[0].findings}
    assert found["run"].verdict == UNSUPPORTED
    assert "@rawhttp" in found["run"].message
    assert found["from sklearn.externals import joblib"].verdict == MAPPED
    assert found["from azureml.contrib.services.aml_response import AMLResponse"].verdict == RUNS


def test_a_notebook_names_its_cells_and_magics_do_not_matter(look, tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "# azureml"},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "from azureml.core import Workspace\n"]},
        {"cell_type": "code", "source": "!az ml model deploy -n x \\\n  --ic y --wrong\nws = Workspace.from_config()"},
        {"cell_type": "code", "source": "%%bash\necho this is no python: (("},
        {"cell_type": "code", "source": "%%writefile score.py\ndef init(): pass\ndef run(d): return d.x(\n"},
    ]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    report = look()
    found = {one.what: one for one in report.files[0].findings}
    assert (found["Workspace.from_config"].cell, found["Workspace.from_config"].line) == (2, 3)
    assert found["az ml model deploy"].verdict == RUNS
    assert found["az ml model deploy --wrong"].verdict == UNSUPPORTED
    assert "cell 4, line 3" in report.files[0].problem


def test_commands_in_shell_scripts_and_pipelines(look):
    report = look(
        go__sh="""\
        #!/bin/sh
        # az ml pipeline list
        az ml model deploy -n svc -m m:1 -ic ic.json --overwrite
        az ml pipeline list
        az ml modle deploy
        az ml workspace create -w $NAME
        """,
        build__yml="""\
        steps:
          - script: az ml model deploy --name svc
        """,
        newer__yml="""\
        steps:
          - name: Install az ml extension
            run: az extension add -n ml
          - run: az ml job create -f train.yml
          - run: az ml online-deployment create -f d.yml
          - run: az ml model create -f m.yml
        """,
    )
    found = {(one.line, one.what): one for file in report.files for one in file.findings}
    assert found[(3, "az ml model deploy")].verdict == RUNS
    assert found[(4, "az ml pipeline list")].message == "Run the steps yourself."
    assert "did you mean 'sendoff model deploy'" in found[(5, "az ml modle deploy")].message
    assert (6, "az ml workspace create") in found
    assert (2, "az ml model deploy") in found
    newer = [one for file in report.files for one in file.findings if file.path == "newer.yml"]
    assert [(one.line, one.verdict) for one in newer] == [(4, UNSUPPORTED), (5, UNSUPPORTED), (6, UNSUPPORTED)]
    assert all("version 2" in one.message for one in newer)
    assert [one.verdict for (_, what), one in found.items() if what.endswith("-ic")] == []


def test_configuration_files_are_read_by_the_parsers_that_deploying_uses(look):
    report = look(
        dc__json='{"computeType": "aci", "containerResourceRequirements": {"cpu": 1, "memoryInGB": 1}}',
        bad__json='{"computeType": "aci", "containerResourceRequirments": {"cpu": 1}}',
        ic__json='{"entryScript": "made-by-the-build.py", "runtime": "python"}',
        env__yml="dependencies:\n- python=3.6.2\n- pip:\n  - azureml-defaults\n",
        other__json='{"hello": 1}',
    )
    found = {file.path: file.verdict for file in report.files}
    assert found == {"dc.json": RUNS, "bad.json": UNSUPPORTED, "ic.json": MAPPED, "env.yml": RUNS}


def test_files_that_cannot_be_read_are_told_and_do_not_stop_the_rest(look):
    report = look(old__py="import azureml.core\nprint 'python 2'\n", new__py="from azureml.core import Model\n")
    assert {file.path: bool(file.problem) for file in report.files} == {"old.py": True, "new.py": False}
    with pytest.raises(InvalidInput, match="does not exist"):
        check("/nowhere/at/all", COMMANDS)


def test_nothing_of_the_folder_is_run(look, tmp_path):
    look(evil__py=f"import azureml.core\nopen({str(tmp_path / 'ran')!r}, 'w')\n")
    assert not (tmp_path / "ran").exists()


def test_the_command_prints_lines_for_people_and_json_for_programs(tmp_path):
    (tmp_path / "deploy.py").write_text("from azureml.core import Workspace\nWorkspace.from_config().explode()\n")

    def command(*flags: str) -> subprocess.CompletedProcess[str]:
        return sendoff("migrate", "check", tmp_path, *flags)

    people = sendoff_process("migrate", "check", tmp_path)
    assert people.returncode == 6
    assert "line 2: NOT SUPPORTED: Workspace.explode" in people.stdout
    assert "1 of 1 files use SDK v1" in people.stdout
    program = command("-o", "json")
    assert program.returncode == 6
    read = json.loads(program.stdout)
    assert read["counts"] == {"runs": 1, "mapped": 1, "unsupported": 1}
    assert read["files"][0]["findings"][-1]["what"] == "Workspace.explode"
    (tmp_path / "deploy.py").write_text("from azureml.core import Workspace\n")
    assert command().returncode == 0


def test_a_folder_without_sdk_v1_is_told_so(look):
    report = look(plain__py="print(1)\n")
    assert (report.files, report.looked_into, report.verdict) == ([], 1, RUNS)


@pytest.mark.parametrize(
    ("name", "text", "verdict", "said"),
    [
        ("inferenceconfig.json", '{"entryScript": "made_later.py"}', MAPPED, "made_later.py"),
        ("inferenceconfig.json", '{"entryScript": "score.py", "sourceDirectory": "gone"}', MAPPED, "gone"),
        (
            "env.yml",
            "dependencies:\n- python=3.11\n- pip:\n  - ./dist/mine-1.0-py3-none-any.whl\n",
            MAPPED,
            "mine-1.0-py3-none-any.whl",
        ),
        ("env.yml", "dependencies:\n- python=3.11\n- pip:\n  - -r more.txt\n", MAPPED, "more.txt"),
        # A mistake of the file's own is not excused by what its text says.
        ("inferenceconfig.json", '{"entryScript": "score.py", "there is no f": 1}', UNSUPPORTED, "there is no f"),
        ("inferenceconfig.json", '{"entryScript": "score.py", "does not exist": 1}', UNSUPPORTED, "does not exist"),
    ],
)
def test_a_file_that_is_made_elsewhere_says_nothing_against_the_configuration(tmp_path, name, text, verdict, said):
    (tmp_path / "score.py").write_text("def init(): pass\ndef run(data): return data\n")
    (tmp_path / name).write_text(text)
    found = [one for file in check(tmp_path, COMMANDS).files if file.path == name for one in file.findings]
    assert [(one.verdict, said in one.message) for one in found] == [(verdict, True)]
