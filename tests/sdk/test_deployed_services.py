import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from sendoff import AciWebservice, InferenceConfig, LocalWebservice, Model, Webservice
from sendoff.errors import NotSupported, ScoringFailed, ScriptFailed, ServiceNotFound
from sendoff.sdk.exceptions import WebserviceException
from sendoff.spec.deployment import DeploymentSpec

pytestmark = pytest.mark.usefixtures("cleaned")

SCORE = """
import json
import os
from numbers_of_mine import FACTOR

def init():
    global model
    with open(os.path.join(os.getenv("AZUREML_MODEL_DIR"), "m.txt")) as file:
        model = float(file.read())

def run(body):
    data = json.loads(body)["data"]
    return [model * FACTOR * x for x in data]
"""


@pytest.fixture
def model(ws):
    Path("m.txt").write_text("2")
    return Model.register(workspace=ws, model_path="m.txt", model_name="twice", tags={"k": "v"})


@pytest.fixture
def config(here):
    Path("code").mkdir()
    Path("code/score.py").write_text(SCORE)
    Path("code/numbers_of_mine.py").write_text("FACTOR = 1\n")
    return InferenceConfig(entry_script="score.py", source_directory="code", environment=here)


def test_a_local_service_that_is_still_on_its_way_is_waited_for_when_it_is_asked(ws, model, config):
    service = Model.deploy(ws, "myservice", [model], config, LocalWebservice.deploy_configuration())
    assert service.run('{"data": [1, 2]}') == [2, 4]


def test_the_articles_ten_lines(ws, model, config, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    deployment_config = LocalWebservice.deploy_configuration(port=port)
    service = Model.deploy(ws, "myservice", [model], config, deployment_config)
    # The address is known before anything answers there, and stays.
    promised = (service.scoring_uri, service.swagger_uri)
    assert promised == (f"http://127.0.0.1:{port}/score", f"http://127.0.0.1:{port}/swagger.json")
    service.wait_for_deployment(show_output=True)
    assert (service.scoring_uri, service.swagger_uri) == promised
    assert service.state == "Healthy"
    said = capsys.readouterr().out
    assert all(step in said for step in ("validate", "environment", "bundle", "init", "healthy", "Succeeded"))
    assert "\x1b" not in said

    assert isinstance(service, LocalWebservice)
    assert service.port == port
    assert service.run('{"data": [1, 2]}') == [2, 4]
    assert service.run(input_data=bytes('{"data": [3]}', encoding="utf8")) == [6]
    assert service.run({"data": [4]}) == [8]
    assert service.swagger_uri.endswith("/swagger.json")
    assert (service.auth_enabled, service.token_auth_enabled) == (False, False)
    assert "init" in service.get_logs()
    assert service.get_metrics()["state"] == "Healthy" and service.get_metrics()["requests"] >= 0
    with pytest.raises(WebserviceException, match="Response Code: 500") as caught:
        service.run("{}")
    assert caught.value.status_code == 500
    assert isinstance(caught.value, ScoringFailed)
    # What was raised follows at once, with the script's own line.
    assert "KeyError: 'data'" in str(caught.value) and "score.py" in caught.value.context["traceback"]
    assert f"state='Healthy', scoring_uri='http://127.0.0.1:{port}/score'" in repr(service)
    shown = service._repr_html_()
    assert "Healthy" in shown and f'<a href="http://127.0.0.1:{port}/score">' in shown and "<td" in shown
    assert "bundle" in shown, "the timeline of its deployment"
    assert model.id in model._repr_html_()
    for refused in (service.get_keys, service.get_token):
        with pytest.raises(NotSupported):
            refused()
        with pytest.raises(NotImplementedError):
            refused()

    assert [one.name for one in Webservice.list(ws, model_name="twice")] == ["myservice"]
    assert Webservice.list(ws, compute_type="ACI") == []
    assert ws.webservices["myservice"].models[0].id == model.id
    assert Webservice(ws, "myservice").serialize()["computeType"] == "LOCAL"
    with pytest.raises(WebserviceException, match="twice:1 is used"):
        model.delete()
    with pytest.raises(WebserviceException, match="exists in workspace"):
        Model.deploy(ws, "myservice", [model], config, deployment_config)

    Path("code/numbers_of_mine.py").write_text("FACTOR = 10\n")
    service.reload()  # it is over when it returns, as SDK v1's was
    assert service.run({"data": [1]}) == [20]
    service.rollback()
    assert service.run({"data": [1]}) == [2]
    service.rollback(revision=2)
    assert service.run({"data": [1]}) == [20]
    assert [one.running for one in service.revisions()] == [False, False, False, True]
    stream = service.metrics_stream(interval=0)
    assert next(stream)["requests"] > next(stream)["requests"] == 0
    Path("m.txt").write_text("3")
    service.update(models=[Model.register(ws, "m.txt", "twice")])
    assert service.run({"data": [1]}) == [30]

    # What follows an operation of one's own that is not over waits for it.
    again = Model.deploy(ws, "myservice", [model], config, deployment_config, overwrite=True)
    again.delete()
    for kind in (WebserviceException, ServiceNotFound):
        with pytest.raises(kind) as gone:
            Webservice(ws, "myservice")
        assert "WebserviceNotFound" in gone.value.message
    assert LocalWebservice(ws, "myservice", must_exist=False).state == "unknown"


def test_a_script_that_fails_ends_with_its_traceback_file_and_line(ws, model, config):
    Path("code/score.py").write_text("def init():\n    open('not there')\n\ndef run(body):\n    return body\n")
    service = Model.deploy(ws, "broken", [model], config, LocalWebservice.deploy_configuration())
    with pytest.raises(WebserviceException) as caught:
        service.wait_for_deployment()
    assert isinstance(caught.value, ScriptFailed)
    for words in ("FileNotFoundError", "score.py", "line 2", "not there"):
        assert words in str(caught.value)
    assert service.state == "Failed"
    assert "not there" in service.error["message"] + service.error["traceback"]
    assert "not there" in service.get_logs()
    Path("code/score.py").write_text(SCORE)
    again = Model.deploy(ws, "broken", [model], config, LocalWebservice.deploy_configuration(), overwrite=True)
    again.wait_for_deployment(True)
    assert again.run({"data": [1]}) == [2]


def test_an_address_that_is_not_known_is_none_and_a_failed_service_has_none(ws, model, here):
    Path("code").mkdir()
    Path("code/score.py").write_text("def init(): raise ValueError('no')\ndef run(data): pass\n")
    config = InferenceConfig(entry_script="score.py", source_directory="code", environment=here)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = Model.deploy(ws, "failing", [model], config, LocalWebservice.deploy_configuration(port=port))
    with pytest.raises(WebserviceException):
        service.wait_for_deployment()
    assert service.state == "Failed"
    assert service._view.scoring_uri == service.scoring_uri


def test_the_address_of_a_service_with_https_has_its_certificates_name(ws):
    view = SimpleNamespace(
        state="Transitioning",
        port=8443,
        scoring_uri=None,
        swagger_uri=None,
        deployment=DeploymentSpec(compute_type="LOCAL", ssl_enabled=True, ssl_cname="scores.test"),
    )
    service = object.__new__(LocalWebservice)
    service._view = view
    assert service.scoring_uri == "https://scores.test:8443/score"
    service._view = SimpleNamespace(**{**vars(view), "port": None})
    assert service.scoring_uri is None


def test_a_container_instances_configuration_runs_here_and_can_be_changed(ws, model, config):
    wanted = AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1, tags={"a": "1"}, description="words")
    service = Model.deploy(ws, "aci-service", [model], config, wanted, None, True)
    service.wait_for_deployment(True)
    assert isinstance(service, AciWebservice)
    assert (service.state, service.tags, service.description) == ("Healthy", {"a": "1"}, "words")
    service.update(tags={"b": "2"}, properties={"p": "1"})
    service.add_tags({"c": "3"})
    assert (service.tags, service.properties["p"]) == ({"b": "2", "c": "3"}, "1")
    with pytest.raises(WebserviceException):
        LocalWebservice(ws, "aci-service")


def test_waiting_no_longer_than_asked(ws, model, config):
    Path("code/score.py").write_text(
        "import time\ndef init():\n    time.sleep(30)\n\ndef run(body):\n    return body\n"
    )
    service = Model.deploy(ws, "slow", [model], config, LocalWebservice.deploy_configuration())
    with pytest.raises(WebserviceException, match="still being deployed"):
        service.wait_for_deployment(timeout_sec=0.2)


def test_what_cannot_work_is_refused_before_anything_starts(ws, model, here):
    Path("score.py").write_text("def init():\n    pass\n\ndef run(body):\n    return body\n")
    good = InferenceConfig("score.py", environment=here)
    for name, models, config in (
        ("Bad_Name", [model], good),
        ("unknown-model", ["nobody:1"], good),
        ("no-environment", [model], InferenceConfig("score.py")),
        ("no-config", [model], None),
    ):
        with pytest.raises(WebserviceException):
            Model.deploy(ws, name, models, config, LocalWebservice.deploy_configuration())
    assert Webservice.list(ws) == []
