import http.client
import json
import signal
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from sendoff.api.server import MAX_BODY_BYTES, serve
from sendoff.client import connect
from sendoff.errors import InvalidInput, PortInUse, Unauthorized, Unreachable

from .running import lasting_port, server


def call(running, method, path, *, token=None, body=None, headers=None):
    parts = urlsplit(running.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    connection.request(method, path, body=body, headers=sent)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


@pytest.fixture
def running(home):
    with server(home) as found:
        yield found


def test_only_health_is_answered_without_the_token(running):
    assert call(running, "GET", "/v1/health")[0] == 200
    for token in (None, "wrong", running.token + "x"):
        status, _, body = call(running, "GET", "/v1/workspaces", token=token)
        assert status == 401
        assert json.loads(body)["error"]["code"] == "unauthorized"
    assert call(running, "GET", "/v1/workspaces", token=running.token)[0] == 200
    with connect(server=running.url, token="wrong") as client, pytest.raises(Unauthorized):
        client.workspaces()


def test_a_request_keeps_its_id_and_a_strange_one_is_replaced(running):
    assert call(running, "GET", "/v1/health", headers={"X-Request-Id": "abc-1"})[1]["x-request-id"] == "abc-1"
    strange = call(running, "GET", "/v1/health", headers={"X-Request-Id": "a b\tc"})[1]["x-request-id"]
    assert strange != "a b\tc"
    assert len(strange) == 32


def test_wrong_methods_and_bodies_are_answered_with_payloads(running):
    status, _, body = call(running, "DELETE", "/v1/health", token=running.token)
    assert (status, json.loads(body)["error"]["context"]["allowed"]) == (405, "GET")
    status, _, body = call(running, "POST", "/v1/workspaces", token=running.token, body=b"{not json")
    assert (status, json.loads(body)["error"]["code"]) == (400, "invalid_input")
    headers = {"Content-Length": str(MAX_BODY_BYTES + 1)}
    status, _, body = call(running, "POST", "/v1/workspaces", token=running.token, headers=headers)
    assert (status, json.loads(body)["error"]["code"]) == (413, "invalid_input")


def test_sigterm_ends_it_cleanly(home):
    with server(home) as running:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) in (0, -signal.SIGTERM)
    with (
        connect(server=running.url, token=running.token) as client,
        pytest.raises(Unreachable, match="does not answer"),
    ):
        client.health()


def test_a_foreign_address_needs_a_token(tmp_path):
    with pytest.raises(InvalidInput, match="without a token"):
        serve(tmp_path, host="0.0.0.0")
    with pytest.raises(InvalidInput, match="8 characters"):
        serve(tmp_path, token="short")


def test_a_taken_port_is_named(running, tmp_path):
    port = urlsplit(running.url).port
    with pytest.raises(PortInUse, match=str(port)):
        serve(tmp_path, port=port)


def test_a_given_token_is_the_one(home):
    with server(home, "--token", "a-token-of-mine") as running:
        assert running.token == "a-token-of-mine"
        assert call(running, "GET", "/v1/workspaces", token="a-token-of-mine")[0] == 200


def test_many_threads_share_one_client(running):
    from sendoff.spec.workspace import CreateWorkspace

    with connect(server=running.url, token=running.token) as client:
        threads = [
            threading.Thread(target=client.create_workspace, args=[CreateWorkspace(name=f"ws{n}")]) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(client.workspaces()) == 8


def test_a_client_outlives_a_restart_of_its_server(home):
    # Not one that the system gave: between the two servers it could give it to another test's.
    port = str(lasting_port())
    with server(home, "--port", port) as first:
        client = connect(server=first.url, token=first.token)
        client.health()
    with server(home, "--port", port, "--token", first.token):
        assert client.health().status == "ok"


def test_without_its_extra_the_server_names_the_install_line(tmp_path):
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from sendoff.api.__main__ import main\n"
        f"sys.exit(main(['--home', {str(tmp_path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "sendoff-ml[server]" in done.stderr
