"""Which workspace a command works in, and `sendoff workspace` and `folder`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sendoff.cli.hints import in_workspace

from .conftest import Cli

PROVIDER = "providers/Microsoft.MachineLearningServices"


def test_with_no_set_up_at_all_commands_work_in_default(cli: Cli):
    done = cli("workspace", "show")
    assert done.code == 0, done.err
    assert done.data["name"] == "default"


def test_create_show_list_delete(cli: Cli):
    made = cli(
        "workspace", "create", "-w", "demo", "-g", "group", "--subscription-id", "sub", "-l", "here", "-t", "a=b"
    )
    assert made.data["resourceGroup"] == "group"
    assert made.data["subscriptionId"] == "sub"
    assert made.data["workspaceName"] == "demo"
    assert made.data["tags"] == {"a": "b"}
    assert cli("workspace", "create", "-w", "demo").code == 4
    assert cli("workspace", "create", "-w", "demo", "--exist-ok").code == 0
    assert cli("workspace", "list", "--query", "[].name").data == ["demo"]
    assert cli("workspace", "delete", "-w", "demo", "-y").code == 0
    assert cli("workspace", "list").data == []


def test_deleting_needs_the_name(cli: Cli):
    assert cli("workspace", "delete").code == 2


def test_a_workspace_that_is_named_has_to_be_there(cli: Cli):
    done = cli("model", "list", "-w", "absent")
    assert done.code == 3
    assert "absent" in done.err
    assert cli("workspace", "list").data == []


@pytest.mark.parametrize(
    "config",
    [
        {"subscription_id": "s", "resource_group": "g", "workspace_name": "team"},
        {"Id": None, "Scope": f"/subscriptions/s/resourceGroups/g/{PROVIDER}/workspaces/team"},
    ],
)
@pytest.mark.parametrize("place", [".azureml/config.json", "aml_config/config.json", "config.json"])
def test_the_config_file_of_the_folder_or_of_a_parent_names_it_in_either_shape(
    cli: Cli, config: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch
):
    file = Path(place)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(config))
    below = Path("a/b")
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    done = cli("workspace", "show")
    assert done.data["name"] == "team"
    assert "Made workspace 'team'" in done.err
    assert cli("workspace", "show").err == ""


def test_another_programs_config_json_is_left_alone(cli: Cli):
    Path("config.json").write_text('{"port": 80}')
    assert cli("workspace", "show").data["name"] == "default"


def test_a_config_file_without_a_workspace_is_named(cli: Cli):
    Path(".azureml").mkdir()
    Path(".azureml/config.json").write_text("{}")
    done = cli("model", "list")
    assert done.code == 2
    assert ".azureml/config.json" in done.err


def test_w_stands_over_the_config_file_and_path_says_where_to_look(cli: Cli, tmp_path: Path):
    cli("workspace", "create", "-w", "one")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert cli("folder", "attach", "-w", "two", "--path", str(elsewhere)).code == 0
    assert cli("workspace", "show", "--path", str(elsewhere)).data["name"] == "two"
    assert cli("workspace", "show", "--path", str(elsewhere), "-w", "one").data["name"] == "one"
    assert cli("workspace", "show", "--path", str(tmp_path / "absent")).code == 2
    model = tmp_path / "model.pkl"
    model.write_bytes(b"\x80\x04K\x01.")
    mixed_up = cli("model", "register", "-n", "m", "--path", str(model))
    assert mixed_up.code == 2 and "hint: --path takes the workspace's config file" in mixed_up.err


@pytest.mark.parametrize("name", ["demo", "default"])
def test_what_a_list_lacks_is_named_where_it_is(cli: Cli, model_file: Path, name: str):
    cli("workspace", "create", "-w", name)
    cli("workspace", "create", "-w", "void")
    assert cli("model", "register", "-n", "m", "-p", str(model_file), "-w", name).code == 0
    done = cli("model", "list", "-w", "void")
    assert (done.code, done.data) == (0, [])
    assert f"1 in {name!r}: sendoff model list -w {name}" in done.err
    assert cli("model", "list", "-w", "void", "--tag", "x").err == "", "a filter that matches nothing is no mistake"
    assert cli("model", "list", "-w", name).err == ""


def test_hints_name_the_workspace_that_was_given(cli: Cli):
    cli("workspace", "create", "-w", "demo")
    done = cli("model", "show", "-i", "ridge:1", "-w", "demo")
    commands = re.findall(r"sendoff \w+ [\w-]+[^`';,)]*", done.err)
    assert done.code == 3 and commands and all("-w demo" in one for one in commands), done.err


@pytest.mark.parametrize(
    ("hint", "typed"),
    [
        ("sendoff service list shows its state; sendoff up starts it.",
         "sendoff service list -w demo shows its state; sendoff up starts it."),
        ("Run `sendoff service show -n x -w other`.", "Run `sendoff service show -n x -w other`."),
        ("Wait, or run 'sendoff operation cancel 12'.", "Wait, or run 'sendoff operation cancel 12'."),
        ("sendoff model register -n NAME -p m.pkl", "sendoff model register -w demo -n NAME -p m.pkl"),
        ("sendoff model is a group", "sendoff model is a group"),
    ],
)  # fmt: skip
def test_a_command_in_a_hint_is_one_that_can_be_typed(hint: str, typed: str):
    assert in_workspace(hint, "demo") == typed
    assert in_workspace(hint, None) == hint


def test_folder_attach_makes_the_workspace_and_the_file(cli: Cli):
    done = cli("folder", "attach", "-w", "demo", "-g", "rg", "-e", "experiment")
    assert done.code == 0, done.err
    assert json.loads(Path(".azureml/config.json").read_text()) == {
        "subscription_id": "",
        "resource_group": "rg",
        "workspace_name": "demo",
    }
    assert cli("workspace", "show").data["name"] == "demo"


def test_service_install_writes_a_unit_and_starts_nothing(cli: Cli, home: Path, tmp_path: Path):
    folder = tmp_path / "units"
    done = cli("service", "install", "-d", str(folder))
    assert done.code == 0, done.err
    unit = Path(done.data["unit"]).read_text()
    assert f'--home "{home}"' in unit
    assert "systemctl --user" in done.err
    assert cli("service", "install", "-d", str(folder)).code == 2
    assert cli("service", "install", "-d", str(folder), "--overwrite").code == 0
