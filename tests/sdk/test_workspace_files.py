import json
from pathlib import Path

import pytest

from sendoff import Workspace
from sendoff.errors import AlreadyExists, WorkspaceNotFound
from sendoff.sdk.exceptions import ProjectSystemException, UserErrorException, WorkspaceException

THREE = {"subscription_id": "sub", "resource_group": "group", "workspace_name": "demo"}
SCOPE = {
    "Id": None,
    "Scope": "/subscriptions/sub/resourceGroups/group/providers/Microsoft.MachineLearningServices/workspaces/demo",
}


@pytest.mark.parametrize("content", [THREE, SCOPE])
def test_both_shapes_are_read_and_an_unknown_workspace_is_made_and_said(content, capsys):
    Path("ws_config.json").write_text(json.dumps(content))
    ws = Workspace.from_config(path="ws_config.json")
    assert (ws.name, ws.subscription_id, ws.resource_group, ws.sku) == ("demo", "sub", "group", "basic")
    assert "did not exist: made it" in capsys.readouterr().out
    Workspace.from_config("ws_config.json")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "place", [".azureml/config.json", "aml_config/config.json", "config.json", ".azureml/project.json"]
)
def test_the_file_is_found_from_a_folder_below(place, monkeypatch):
    Path(place).parent.mkdir(exist_ok=True)
    Path(place).write_text(json.dumps(THREE))
    Path("a/b").mkdir(parents=True)
    monkeypatch.chdir("a/b")
    assert Workspace.from_config().name == "demo"


def test_what_was_written_is_found_again(ws):
    ws.write_config()
    assert Path(".azureml/config.json").is_file()
    assert Workspace.from_config().name == ws.name
    ws.write_config(file_name="other.json")
    assert Workspace.from_config(".azureml/other.json").name == ws.name
    with pytest.raises(UserErrorException):
        ws.write_config(path="nowhere")


def test_no_file_is_sdk_v1s_error_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(UserErrorException, match="sendoff folder attach"):
        Workspace.from_config(str(tmp_path / "work"))
    with pytest.raises(UserErrorException):
        Workspace.from_config("nowhere.json")


def test_a_file_that_is_no_json_and_one_that_lacks_keys():
    Path("config.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        Workspace.from_config()
    Path("config.json").write_text("{}")
    with pytest.raises(UserErrorException, match="workspace_name"):
        Workspace.from_config()


def test_an_unknown_workspace_is_sdk_v1s_exception_and_sendoffs(ws):
    for kind in (WorkspaceException, ProjectSystemException, WorkspaceNotFound):
        with pytest.raises(kind):
            Workspace.get("nobody")
    with pytest.raises(WorkspaceException):
        Workspace("", "", "nobody")
    assert Workspace("sub", "group", "demo").subscription_id == "sub"


def test_an_unknown_workspace_of_a_subscription_is_made_and_that_is_said(ws, capsys):
    made = Workspace("sub", "group", "theirs")
    assert (made.name, made.subscription_id, made.resource_group) == ("theirs", "sub", "group")
    assert "Workspace 'theirs' named with its subscription did not exist: made it in" in capsys.readouterr().out
    assert Workspace.get("other", subscription_id="sub", resource_group="group").get_details()["name"] == "other"
    assert sorted(Workspace.list()) == ["demo", "other", "theirs"]
    capsys.readouterr()
    assert Workspace.get("theirs", subscription_id="sub").name == "theirs"
    assert capsys.readouterr().out == ""


def test_create_refuses_a_taken_name_unless_it_may_exist(ws):
    with pytest.raises(AlreadyExists):
        Workspace.create("demo")
    assert Workspace.create("demo", exist_ok=True).name == "demo"
    assert list(Workspace.list()) == ["demo"]
    assert ws.get_details()["name"] == "demo"
    ws.delete()
    assert Workspace.list() == {}


def test_a_name_that_sdk_v1_had_not_is_an_attribute_error(ws):
    assert ws.get_default_datastore().name in ws.datastores
    with pytest.raises(AttributeError):
        ws.nonsense  # noqa: B018


def test_an_empty_name_is_told_as_one(tmp_path, monkeypatch):
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    with pytest.raises(WorkspaceException, match="a name is empty"):
        Workspace.get("")
