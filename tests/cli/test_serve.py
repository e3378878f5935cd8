"""`sendoff serve` and `sendoff server` as processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from .conftest import SCRIPT, Cli


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def post(url: str, body: bytes, within: float = 60.0) -> bytes:
    """The answer, as soon as somebody answers."""
    end = time.monotonic() + within
    while True:
        try:
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=10) as response:
                return bytes(response.read())
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def end(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    process.send_signal(signal.SIGTERM)
    try:
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, errors


def test_serve_answers_requests_until_it_is_stopped(home: Path):
    Path("score.py").write_text("def init(): pass\ndef run(data): return {'length': len(data)}\n")
    port = free_port()
    process = subprocess.Popen(
        [SCRIPT, "serve", "score.py", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert json.loads(post(f"http://127.0.0.1:{port}/score", b"abc")) == {"length": 3}
    finally:
        code, errors = end(process)
    assert code == 0, errors
    assert not (home / "sendoff.db").exists()


def test_serve_ends_with_9_and_the_line_when_the_script_cannot_be_loaded(script: Cli):
    Path("broken.py").write_text("def init():\n    raise ValueError('no model here')\ndef run(data): return 1\n")
    done = script("serve", "broken.py", "--port", str(free_port()))
    assert done.code == 9, (done.out, done.err)
    assert "no model here" in done.out + done.err
    assert "line 2" in done.out + done.err


def test_serve_passes_wrong_options_on_and_ends_with_2(script: Cli):
    assert script("serve", "absent.py", "--port", "many").code == 2


def test_server_prints_address_and_token_and_the_command_line_can_use_it(home: Path, script: Cli, model_file: Path):
    process = subprocess.Popen([SCRIPT, "server"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)
    try:
        assert process.stdout is not None
        said = b""
        while b"SENDOFF_TOKEN=" not in said or not said.endswith(b"\n"):
            line = process.stdout.readline()
            assert line, said
            said += line
        found = re.findall(r"export (\w+)=(\S+)", said.decode())
        env = dict(found)
        assert set(env) == {"SENDOFF_SERVER", "SENDOFF_TOKEN"}
        assert script("workspace", "create", "-w", "remote", env=env).code == 0
        assert (
            script("model", "register", "-w", "remote", "-n", "m", "-p", str(model_file), env=env).data["id"] == "m:1"
        )
        assert script("model", "list", "-w", "remote", "--query", "[].id", "-o", "tsv", env=env).out == "m:1\n"
        assert script("model", "show", "-w", "remote", "-i", "m:9", env=env).code == 3
        assert script("workspace", "list", env={**env, "SENDOFF_TOKEN": "wrong-token"}).code == 5
    finally:
        code, errors = end(process)
    assert code in (0, -signal.SIGTERM), errors
    gone = script("workspace", "list", env={"SENDOFF_SERVER": env["SENDOFF_SERVER"], "SENDOFF_TOKEN": "x"})
    assert gone.code == 10, gone.err


def test_server_does_not_open_the_store_to_the_network_without_a_token(script: Cli):
    assert script("server", "--host", "0.0.0.0").code == 2
