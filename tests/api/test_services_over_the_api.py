import json
import urllib.request

import pytest
from serving.running import eventually

from sendoff.client import Transfer
from sendoff.errors import AlreadyExists, InUse, ServiceNotFound
from sendoff.spec.inference import InferenceSpec
from sendoff.spec.model import RegisterModel
from sendoff.spec.service import DeployService, UpdateService

from .running import finished, local, this_python

SCORE = """
import os
def init():
    global words
    folder = os.environ["AZUREML_MODEL_DIR"]
    words = open(os.path.join(folder, "model.txt")).read()
def run(body):
    return {"words": words, "body": body, "version": VERSION}
VERSION = 1
"""

pytestmark = pytest.mark.usefixtures("cleaned")


def ask(service, body=b"{}"):
    with urllib.request.urlopen(service.scoring_uri, data=body, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.fixture
def body(client, workspace, tmp_path):
    (tmp_path / "model.txt").write_text("weights")
    (tmp_path / "score.py").write_text(SCORE)
    files = Transfer(client).put_model(tmp_path / "model.txt")
    client.register_model(workspace, RegisterModel(name="ridge", files=files))
    source = Transfer(client).put_source(tmp_path / "score.py")
    inference = InferenceSpec(source=source, environment=this_python())
    return DeployService(name="svc", models=["ridge"], inference=inference, deployment=local())


def test_a_model_is_deployed_asked_reloaded_and_removed(client, workspace, body, tmp_path):
    operation = finished(client, client.deploy(workspace, body))
    assert operation.state == "Succeeded", operation
    service = client.service(workspace, "svc")
    assert service.state == "Healthy"
    assert ask(service) == {"words": "weights", "body": "{}", "version": 1}
    eventually(lambda: "init" in client.logs(workspace, "svc", 50))
    assert [one.name for one in client.services(workspace, model_name="ridge", compute_type="local")] == ["svc"]
    assert client.services(workspace, tags=["nothing"]) == []
    with pytest.raises(AlreadyExists):
        client.deploy(workspace, body)
    with pytest.raises(InUse):
        client.delete_model(workspace, "ridge:1")

    (tmp_path / "score.py").write_text(SCORE.replace("VERSION = 1", "VERSION = 2"))
    assert finished(client, Transfer(client).reload(workspace, "svc")).state == "Succeeded"
    assert ask(service)["version"] == 2
    words = client.update_service(workspace, "svc", UpdateService(add_tags={"a": "b"}))
    assert words.tags == {"a": "b"}
    assert finished(client, client.rollback(workspace, "svc")).state == "Succeeded"
    assert ask(service)["version"] == 1
    assert len(client.revisions(workspace, "svc")) == 3
    assert {one.service for one in client.operations(workspace, service="svc")} == {"svc"}

    removal = client.delete_service(workspace, "svc")
    assert removal is None or finished(client, removal).state == "Succeeded"
    with pytest.raises(ServiceNotFound):
        client.service(workspace, "svc")
    assert client.delete_service(workspace, "svc") is None
    assert client.gc(dry_run=True)["dry_run"] is True
    assert client.up() == {"started": []}


def test_a_check_reports_and_makes_nothing(client, workspace, body):
    from sendoff.spec.parse import replace

    report = client.check(workspace, replace(body, check=True))
    assert report.models == ["ridge:1"]
    assert client.services(workspace) == []
