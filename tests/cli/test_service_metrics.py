"""``sendoff service metrics`` and ``top`` on a real service."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import SCRIPT, Cli
from .test_services import DEPLOY, ended, files, write_script  # noqa: F401 - fixtures


def deploy(cli: Cli) -> None:
    write_script("1")
    Path("inferenceconfig.json").read_text()
    done = cli(*DEPLOY, "--dc", "deploymentconfig.json")
    assert done.code == 0, done.err
    for body in ('"a"', '"b"', '"c"'):
        assert cli("service", "run", "-n", "svc", "-d", body).code == 0
    assert cli("service", "run", "-n", "svc", "-d", "fail").code != 0


@pytest.mark.slow
def test_one_look_and_a_live_one(script: Cli, cli: Cli, files: None) -> None:  # noqa: F811
    deploy(cli)
    found = script("service", "metrics", "svc", "--interval", "0.2").data
    assert (found["requests"], found["errors"], found["state"], found["revision"]) == (4, 1, "Healthy", 1)
    assert {(o["code"], o["reason"]): o["count"] for o in found["outcomes"]} == {(200, "ok"): 3, (500, "run_failed"): 1}
    assert found["total"]["count"] == 4 and found["run"]["p99"] > 0 and found["queue"]["count"] == 4
    assert found["now"]["requests"] == 0 and 0.2 <= found["now"]["seconds"] < 30
    assert found["workers"]["idle"] == 1 and "text" not in found
    assert cli("service", "metrics", "-n", "svc", "--interval", "0").data["now"] is None

    page = cli("service", "metrics", "svc", "-o", "table").out
    for words in ("svc: Healthy, revision 1", "Since the start", "Last 1", "run_failed", "1 idle; 0 restarts", "p95"):
        assert words in page, page
    raw = cli("service", "metrics", "svc", "--prometheus").out
    assert 'sendoff_requests_total{code="500",reason="run_failed"} 1' in raw and raw.startswith("# HELP")

    table = cli("service", "top", "--interval", "0.2")
    assert table.code == 0 and table.out.splitlines()[0].startswith("Service") and "svc" in table.out
    assert len(table.out.splitlines()) == 3
    [record] = cli("service", "top", "svc", "--interval", "0.2", "-o", "json").data
    assert record["name"] == "svc" and record["workers"] == "1/1"
    assert cli("service", "top", "-n", "svc", "--interval", "0.2", "--query", "[].name", "-o", "tsv").out == "svc\n"
    assert cli("service", "top", "other").code == 3 and cli("service", "top", "-n", "other").code == 3

    screen, code = live("service", "top", "--interval", "0.2")
    assert "svc" in screen and "Req/s" in screen and "Ctrl-C ends" in screen
    assert code == 0 and "Traceback" not in screen and "Aborted" not in screen

    screen, code = live("service", "top", "--interval", "0.2", columns=60)
    assert "Healthy" in screen and "p95 ms" in screen and "Memory" not in screen and code == 0
    assert "…" not in screen, "a column that has no room is left out, not cut"

    os.kill(cli("service", "show", "-n", "svc").data["workers"][0]["pid"], signal.SIGKILL)
    end = time.monotonic() + 60
    while cli("service", "metrics", "svc", "--interval", "0").data["restarts"] != 1:
        assert time.monotonic() < end


def live(*argv: str, columns: int = 200) -> tuple[str, int]:
    """Run a command in a terminal until it has drawn twice, then press Ctrl-C."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "LINES": "40"}
    process = subprocess.Popen(
        [SCRIPT, *argv], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=env
    )
    os.close(theirs)
    screen = ""
    pressed = False
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 0.2)
        if ready:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            screen += data.decode("utf-8", "replace")
        if screen.count("Ctrl-C ends") >= 2 and not pressed:
            pressed = True
            process.send_signal(signal.SIGINT)
    os.close(ours)
    return screen, process.wait(20)


@pytest.mark.slow
def test_a_service_that_does_not_answer_is_said_and_others_are_shown(cli: Cli, files: None) -> None:  # noqa: F811
    write_script("1", "def init():\n    raise OSError('no')\ndef run(data):\n    return 1\n")
    assert cli(*DEPLOY).code == 9
    done = cli("service", "metrics", "svc")
    assert done.code != 0 and "counts nothing now: it is Failed" in done.err
    assert "sendoff service show -n svc" in done.err
    table = cli("service", "top", "--interval", "0.1")
    assert table.code == 0 and "Failed" in table.out


def test_without_services_top_says_so_and_a_name_is_asked_for(cli: Cli) -> None:
    assert "has no services" in cli("service", "top", "--interval", "0.1").out
    assert json.loads(cli("service", "top", "--interval", "0.1", "-o", "json").out) == []
    done = cli("service", "metrics")
    assert done.code == 2 and "NAME is missing" in done.err
    assert cli("service", "metrics", "absent").code == 3
