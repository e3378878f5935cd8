import json
from pathlib import Path

import pytest
from api.running import server

from sendoff import InferenceConfig, LocalWebservice, Model, Workspace
from sendoff.sdk.exceptions import AuthenticationException, WorkspaceException

pytestmark = pytest.mark.usefixtures("cleaned")


def test_the_same_lines_work_against_a_server(home, here, monkeypatch):
    Path("score.py").write_text("def init():\n    pass\n\ndef run(body):\n    return body\n")
    Path("m.txt").write_text("weights")
    Path("config.json").write_text(json.dumps({"workspace_name": "unknown"}))
    with server(home) as running:
        monkeypatch.setenv("SENDOFF_SERVER", running.url)
        monkeypatch.setenv("SENDOFF_TOKEN", "wrong-token")
        with pytest.raises(AuthenticationException):
            Workspace.list()
        monkeypatch.setenv("SENDOFF_TOKEN", running.token)
        with pytest.raises(WorkspaceException):  # nothing is made behind a server's back
            Workspace.from_config()
        ws = Workspace.create("remote")
        model = Model.register(ws, "m.txt", "mine")
        config = InferenceConfig("score.py", environment=here)
        service = Model.deploy(ws, "remote-service", [model], config, LocalWebservice.deploy_configuration())
        service.wait_for_deployment(show_output=True)
        assert service.run("words") == "words"
        service.delete()
