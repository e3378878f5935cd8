"""`sendoff environment`: from a scaffold to a registered environment and back into a folder."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Cli


def test_scaffold_register_list_show_download(cli: Cli):
    assert cli("environment", "scaffold", "-n", "demo", "-d", "folder").code == 0
    assert json.loads(Path("folder/azureml_environment.json").read_text())["name"] == "demo"
    assert cli("environment", "scaffold", "-n", "demo", "-d", "folder").code == 4

    done = cli("environment", "register", "-d", "folder", "-t", "out.json")
    assert done.code == 0, done.err
    assert (done.data["name"], done.data["version"]) == ("demo", "1")
    assert json.loads(Path("out.json").read_text())["name"] == "demo"
    assert cli("environment", "register", "-d", "folder").data["version"] == "1"

    file = Path("folder/conda_dependencies.yml")
    file.write_text(file.read_text() + "# a comment changes nothing\n")
    assert cli("environment", "register", "-d", "folder").data["version"] == "1"
    file.write_text("name: x\ndependencies:\n- python=3.12\n")
    assert cli("environment", "register", "-d", "folder").data["version"] == "2"

    assert cli("environment", "list", "--query", "[].[name, version]", "-o", "tsv").out == "demo\t2\n"
    assert "python=3.12" in json.dumps(cli("environment", "show", "-n", "demo").data)
    assert "python=3.12" not in json.dumps(cli("environment", "show", "-n", "demo", "-v", "1").data)
    assert cli("environment", "download", "-n", "demo", "-d", "back", "--version", "1").code == 0
    assert cli("environment", "download", "-n", "demo", "-d", "back").code == 4
    assert cli("environment", "download", "-n", "demo", "-d", "back", "--overwrite").code == 0
    assert "python=3.12" in Path("back/conda_dependencies.yml").read_text()


def test_single_files_register_too(cli: Cli):
    Path("requirements.txt").write_text("six\n")
    Path("environment.yml").write_text("name: y\ndependencies: [python=3.11]\n")
    assert cli("environment", "register", "-d", "requirements.txt", "-n", "pips").data["name"] == "pips"
    assert cli("environment", "register", "-d", "environment.yml").data["name"] == "y"


def test_what_is_wrong_names_the_file(cli: Cli):
    done = cli("environment", "register", "-d", "absent")
    assert done.code == 2
    assert "absent" in done.err
    assert cli("environment", "scaffold", "-n", "AzureML-mine", "-d", "x").code == 2
    assert not Path("x").exists()
    assert cli("environment", "show", "-n", "absent").code == 3


def test_a_day_and_lists_of_other_machines_are_said_by_flags(cli: Cli):
    Path("requirements.txt").write_text("six @ file:///home/conda/six_1623709665295/work\npywin32==300\nflask==1.1.2\n")
    register = ("environment", "register", "-d", "requirements.txt", "-n", "old")
    done = cli(*register)
    assert (done.code, "pip freeze inside conda" in done.err) == (2, True)
    done = cli(*register, "--ignore-local")
    assert (done.code, "pywin32 is for Windows alone" in done.err) == (2, True)
    assert cli(*register, "--ignore-local", "--ignore-windows", "--as-of", "yesterday").code == 2
    done = cli(*register, "--ignore-local", "--ignore-windows", "--as-of", "2020-05-01")
    assert done.code == 0, done.err
    shown = cli("environment", "show", "-n", "old").data
    assert shown["python"]["asOf"] == "2020-05-01"
    assert shown["python"]["condaDependencies"]["dependencies"] == [{"pip": ["six", "flask==1.1.2"]}]
    assert (shown["lockAsOf"], shown["lockAsOfReason"]) == (None, None)
    assert cli("environment", "download", "-n", "old", "-d", "back").code == 0
    assert "as_of: '2020-05-01'" in Path("back/conda_dependencies.yml").read_text()
    assert cli("environment", "register", "-d", "back").data["version"] == "1"
