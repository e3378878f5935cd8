"""The page /docs and CORS, in a real browser; and clients that are generated from each form of the document."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from . import browser
from .interpreters import environment

KEY = "a-key-of-this-test"
SCRIPT = """
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
def init(): pass
@input_schema('text', StandardPythonParameterType("a"))
@input_schema('times', StandardPythonParameterType(2))
@output_schema(StandardPythonParameterType({"said": "aa"}))
def run(text, times=2):
    return {"said": text * times}
"""


class Elsewhere(BaseHTTPRequestHandler):
    """An empty page of another origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """The origin of a page that is not the service's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.slow
def test_people_try_a_guarded_service_and_pages_of_allowed_origins_call_it(start, tmp_path: Path, elsewhere) -> None:
    script, auth = tmp_path / "score.py", tmp_path / "auth.json"
    script.write_text(SCRIPT)
    keys = [{"name": "primary", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]
    auth.write_text(json.dumps({"schema_version": 1, "keys": keys}))
    python = environment("3.13", "inference-schema[numpy-support]")
    options = ("--auth-file", auth, "--cors-origins", elsewhere, "--service-name", "echo", "--revision", "7")
    base = f"http://127.0.0.1:{start('--entry-script', script, '--python', python, *options).port}"
    with browser.page(tmp_path / "profile") as page:
        page.open(f"{base}/docs")
        page.wait("document.getElementById('asked').textContent !== ''")
        assert "asks for a key" in page.text("asked"), "nothing is dead without a word"
        assert page.run("document.getElementById('key').type") == "password"
        page.type("key", "wrong")
        page.wait("document.getElementById('asked').textContent.includes('does not take')")
        page.type("key", KEY)
        page.wait("document.title === 'echo'")
        assert page.text("asked") == "" and "version 7" in page.text("description")
        # The form is the schema's, and what it makes is sent.
        page.type("field-text", "ho")
        page.type("field-times", "3")
        page.run("document.getElementById('send').click()")
        page.wait("document.getElementById('status').textContent.startsWith('200')")
        assert json.loads(page.text("answer")) == {"said": "hohoho"}
        shown = page.text("routes")
        assert all(route in shown for route in ("POST /score", "GET /health/live", "GET /metrics", "/v2/models/"))
        assert page.run("document.querySelector('link[rel=icon]').href").startswith("data:")
        assert "queue_full" in page.run("document.body.textContent") and KEY not in page.text("curl")
        # A page of the allowed origin: the browser's preflight carries no key, and is answered.
        page.open(elsewhere)
        call = """fetch(BASE + '/score', {method: 'POST', headers: {'Content-Type': 'application/json',
            Authorization: 'Bearer ' + KEY}, body: '{"text": "hi"}'}).then(a => a.json()).then(JSON.stringify)"""
        call = call.replace("BASE", json.dumps(base)).replace("KEY", json.dumps(KEY))
        assert json.loads(page.run(call)) == {"said": "hihi"}
        page.open(f"{elsewhere.replace('127.0.0.1', 'localhost')}")
        assert page.run(f"{call}.catch(error => error.name)") == "TypeError", "another origin is kept out"


GENERATED = """
import json, sys
from its_client import AuthenticatedClient
from its_client.api.default import run_ml_service
from its_client.models import ServiceInput
client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
print(json.dumps(run_ml_service.sync(client=client, body=ServiceInput(text="ho", times=3)).to_dict()))
"""
DYNAMIC = """
import json, sys
from bravado.client import SwaggerClient
from bravado.requests_client import RequestsClient
http = RequestsClient()
http.session.headers["Authorization"] = "Bearer " + sys.argv[2]
url = sys.argv[1] + "/swagger.json"
document = http.session.get(url).json()
del document["paths"]["/"]  # this client names what it makes by paths, and has no name for that one
client = SwaggerClient.from_spec(document, url, http, {"use_models": False})
print(json.dumps(client.score.RunMLService(serviceInputPayload={"text": "ho", "times": 3}).response().result))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2", "3", "3.1"])
@pytest.mark.parametrize("guarded", [False, True])
def test_a_client_generated_from_the_document_calls_the_service(start, tmp_path: Path, version, guarded) -> None:
    script, auth = tmp_path / "score.py", tmp_path / "auth.json"
    script.write_text(SCRIPT)
    keys = [{"name": "primary", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]
    auth.write_text(json.dumps({"schema_version": 1, "keys": keys, "open": ["swagger"]}))
    python = environment("3.13", "inference-schema[numpy-support]")
    server = start("--entry-script", script, "--python", python, *(("--auth-file", auth) if guarded else ()))
    base = f"http://127.0.0.1:{server.port}"
    if version == "2":
        client, code = environment("3.11", "bravado", "setuptools<81"), DYNAMIC
    else:
        client, code = environment("3.12", "openapi-python-client"), GENERATED
        tool = Path(client).with_name("openapi-python-client")
        options = ["--meta", "none", "--output-path", tmp_path / "its_client"]
        command = [tool, "generate", "--url", f"{base}/swagger.json?version={version}", *options]
        made = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert made.returncode == 0, made.stdout + made.stderr
    (tmp_path / "call.py").write_text(code)
    done = subprocess.run([client, "call.py", base, KEY], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == {"said": "hohoho"}


def test_documents_say_only_what_holds(serve, tmp_path: Path) -> None:
    plain = serve("def init(): pass\ndef run(data): return 1\n", "--service-name", "plain", "--revision", "12")
    for version in ("2", "3", "3.1"):
        text = plain.get(f"/swagger.json?version={version}").body.decode()
        document = json.loads(text)
        assert document["info"] == {
            "title": "plain",
            "description": "What the service plain takes and answers",
            "version": "12",
        }
        assert "Azure" not in text and "Bearer" not in text and "https" not in text
        assert document.get("servers", [{"url": "/"}]) == [{"url": "/"}]
