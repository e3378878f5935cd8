"""A debugger on the machine is connected to where AZUREML_DEBUG_PORT says."""

from __future__ import annotations

import json
import socket
import sys

import pytest

from .interpreters import environment, interpreter
from .running import write_script

SCRIPT = "def init(): pass\ndef run(data): return 1\n"


@pytest.mark.slow
def test_the_worker_connects_and_speaks_the_debuggers_protocol(start, tmp_path) -> None:
    python = environment(f"{sys.version_info[0]}.{sys.version_info[1]}", "debugpy")
    script = write_script(tmp_path, SCRIPT)
    with socket.create_server(("127.0.0.1", 0)) as debugger:
        debugger.settimeout(30)
        port = str(debugger.getsockname()[1])
        start("--entry-script", script, "--python", python, wait=False, env={"AZUREML_DEBUG_PORT": port})
        link, _ = debugger.accept()
        link.settimeout(30)
        ask = json.dumps({"seq": 1, "type": "request", "command": "pydevdSystemInfo", "arguments": {}}).encode()
        link.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(ask), ask))
        got = b""
        while b'"pydevdSystemInfo"' not in got:
            data = link.recv(4096)
            assert data, got
            got += data
        assert b"Content-Length" in got
        link.close()


def test_without_debugpy_the_start_fails_and_says_so(start, tmp_path) -> None:
    script = write_script(tmp_path, SCRIPT)
    server = start(
        "--entry-script", script, "--python", interpreter("3.11"), wait=False, env={"AZUREML_DEBUG_PORT": "1"}
    )
    assert server.wait_end() == 3
    assert "debugpy is not in this environment" in server.log
