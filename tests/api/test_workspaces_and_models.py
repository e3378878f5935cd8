import pytest

from sendoff.client import Transfer
from sendoff.errors import AlreadyExists, Conflict, InvalidInput, ModelNotFound, NotFound, WorkspaceNotFound
from sendoff.spec.model import RegisterModel, UpdateModel
from sendoff.spec.workspace import CreateWorkspace


def register(client, tmp_path, workspace, content="weights", **words):
    path = tmp_path / "model.txt"
    path.write_text(content)
    files = Transfer(client).put_model(path)
    return client.register_model(workspace, RegisterModel(**{"name": "ridge", **words}, files=files))


def test_health_says_how_the_api_is_reached(client):
    assert client.health().status == "ok"
    assert client.health().mode == ("embedded" if client.embedded else "server")


def test_a_workspace_is_made_found_listed_and_deleted(client):
    made = client.create_workspace(CreateWorkspace(name="one", tags={"a": "ü"}))
    assert client.workspace("one") == made
    assert [found.name for found in client.workspaces()] == ["one"]
    client.delete_workspace("one")
    with pytest.raises(WorkspaceNotFound):
        client.workspace("one")


def test_a_taken_workspace_name_comes_back_as_the_error_that_was_raised(client, workspace):
    with pytest.raises(AlreadyExists) as caught:
        client.create_workspace(CreateWorkspace(name=workspace))
    assert caught.value.hint
    assert client.create_workspace(CreateWorkspace(name=workspace, exist_ok=True)).name == workspace


def test_a_registered_model_is_listed_by_its_tags_and_downloaded_with_the_same_bytes(client, workspace, tmp_path):
    model = register(client, tmp_path, workspace, tags={"area": "mnist"}, properties={"p": "1"})
    other = register(client, tmp_path, workspace, content="other", tags={"area": "other"})
    assert (model.id, other.id) == ("ridge:1", "ridge:2")
    found = client.models(workspace, tags=[["area", "mnist"]], properties={"p": None})
    assert [one.id for one in found] == ["ridge:1"]
    assert [one.id for one in client.models(workspace, name="ridge", latest=True)] == ["ridge:2"]
    path = Transfer(client).get(model.files, tmp_path / "out")
    assert path.read_text() == "weights"


def test_a_download_replaces_nothing_unless_it_may(client, workspace, tmp_path):
    model = register(client, tmp_path, workspace)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.txt").write_text("mine")
    with pytest.raises(AlreadyExists, match=r"model\.txt"):
        Transfer(client).get(model.files, tmp_path / "out")
    assert (tmp_path / "out" / "model.txt").read_text() == "mine"
    Transfer(client).get(model.files, tmp_path / "out", exist_ok=True)
    assert (tmp_path / "out" / "model.txt").read_text() == "weights"


def test_tags_change_and_a_set_property_does_not(client, workspace, tmp_path):
    model = register(client, tmp_path, workspace, properties={"p": "1"})
    changed = client.update_model(workspace, model.id, UpdateModel(add_tags={"t": "1"}, add_properties={"q": "2"}))
    assert changed.tags == {"t": "1"}
    assert changed.properties == {"p": "1", "q": "2"}
    with pytest.raises(Conflict):
        client.update_model(workspace, model.id, UpdateModel(add_properties={"p": "2"}))


def test_a_deleted_model_is_gone(client, workspace, tmp_path):
    model = register(client, tmp_path, workspace)
    client.delete_model(workspace, model.id)
    with pytest.raises(ModelNotFound):
        client.model(workspace, model.id)


def test_a_manifest_whose_bytes_are_not_stored_is_refused(client, workspace):
    lost = {"path": "a", "digest": "sha256:" + "0" * 64, "size": 3}
    with pytest.raises(Conflict):
        client._send(dict, "POST", f"/workspaces/{workspace}/models", {"name": "x", "files": [lost]})


def test_lists_come_in_pages_and_the_client_reads_them_all(client, workspace, tmp_path):
    for number in range(5):
        register(client, tmp_path, workspace, content=str(number))
    path = f"/workspaces/{workspace}/models"
    first = client._get(dict, path, limit=2)
    second = client._get(dict, path, limit=2, after=first["next"])
    last = client._get(dict, path, limit=2, after=second["next"])
    ids = [one["id"] for page in (first, second, last) for one in page["value"]]
    assert ids == [f"ridge:{number}" for number in (5, 4, 3, 2, 1)]
    assert last["next"] is None
    with pytest.raises(InvalidInput, match="after"):
        client._get(dict, path, after="nobody:1")


@pytest.mark.parametrize(
    ("method", "path", "error", "words"),
    [
        ("GET", "/nowhere", NotFound, "there is no"),
        ("PUT", "/workspaces", Exception, "PUT"),
        ("GET", "/workspaces?nme=x", InvalidInput, "nme"),
        ("GET", "/workspaces/w/models?latest=maybe", InvalidInput, "true or false"),
        ("GET", "/workspaces/w/models?limit=-1", InvalidInput, "whole number"),
    ],
)
def test_a_wrong_call_is_answered_with_an_error_payload(client, method, path, error, words):
    path, _, query = path.partition("?")
    pairs = dict([query.split("=")]) if query else {}
    with pytest.raises(error, match=words):
        client._request(method, path, query=pairs)


def test_an_unknown_key_in_a_body_is_named_with_the_nearest_known_one(client):
    with pytest.raises(InvalidInput, match="unknown key 'nam'") as caught:
        client._send(dict, "POST", "/workspaces", {"name": "x", "nam": "y"})
    assert caught.value.hint == "Did you mean 'name'?"


def test_names_with_odd_letters_reach_the_api_whole(client, workspace):
    for name in ("a/b", "a b", "ü%2F", "..", "?x=1"):
        with pytest.raises((NotFound, InvalidInput)) as caught:
            client.environment(workspace, name)
        assert caught.value.code != "not_found", caught.value
