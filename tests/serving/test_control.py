"""The supervised mode: status, swap, reload and stop on the control socket; swaps fail no request (pain 5)."""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from .running import UnixConnection, eventually


def version(text: str, init: str = "pass") -> str:
    return f"""
        import os, time
        def init():
            {init}
        def run(data):
            if data.startswith("sleep"): time.sleep(float(data[5:]))
            return [{text!r}, os.getpid()]
    """


@pytest.fixture
def supervised(start, make_bundle, tmp_path):
    def starting(bundle: Path, *arguments, **more):
        control = tmp_path / f"c{time.monotonic_ns()}.sock"
        return start("--bundle", bundle, "--revision", "r1", *arguments, control=control, **more)

    return starting


def test_status_tells_what_is_served(supervised, make_bundle) -> None:
    bundle = make_bundle(version("one"), serving={"workers": 2})
    server = supervised(bundle)
    status = server.wait_state("ready")
    assert status["pid"] == server.process.pid
    assert status["port"] == server.port and status["host"] == "127.0.0.1"
    assert status["protocol"] == 1 and abs(status["started"] - time.time()) < 60
    assert status["revision"] == "r1" and status["pending"] is None
    serving = status["serving"]
    assert (serving["revision"], serving["phase"], serving["error"]) == ("r1", "ready", None)
    assert serving["bundle"] == str(bundle) and serving["python"] == sys.executable
    assert [worker["state"] for worker in serving["workers"]] == ["idle", "idle"]
    assert all(worker["pid"] > 0 and worker["rss_mb"] > 3 and worker["restarts"] == 0 for worker in serving["workers"])
    for _ in range(3):
        server.score("")
    assert server.status()["serving"]["requests_total"] == 3
    assert stat.S_IMODE(os.stat(server.control).st_mode) == 0o600


def test_before_init_returns_requests_get_503_and_the_state_is_starting(supervised, make_bundle) -> None:
    server = supervised(make_bundle(version("slow", "time.sleep(2)")))
    assert server.status()["state"] == "starting"
    answer = server.score("")
    assert (answer.status, answer.json["code"]) == (503, "not_ready") and answer.headers["Retry-After"]
    assert server.get("/").status == 503
    eventually(lambda: server.status()["pending"]["phase"] == "init")
    server.wait_state("ready")
    assert server.score("").json[0] == "slow"


def test_a_swap_under_load_fails_no_request_with_one_worker(supervised, make_bundle) -> None:
    one, two = make_bundle(version("one")), make_bundle(version("two", "time.sleep(0.3)"))
    server = supervised(one)
    server.wait_state("ready")
    stop = threading.Event()
    problems: list[object] = []
    seen: list[str] = []

    def hammer() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        while not stop.is_set():
            try:
                connection.request("POST", "/score", "")
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    problems.append((answer.status, body))
                else:
                    seen.append(body[:5].decode())
            except Exception as error:
                problems.append(error)
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    clients = [threading.Thread(target=hammer) for _ in range(4)]
    for client in clients:
        client.start()
    for number in range(6):
        bundle = (two, one)[number % 2]
        time.sleep(0.2)
        answer = server.ask(
            "POST", "/swap", {"bundle": str(bundle), "python": sys.executable, "revision": f"s{number}"}
        )
        assert answer.status == 202
        eventually(lambda number=number: server.status()["revision"] == f"s{number}")
    stop.set()
    for client in clients:
        client.join()
    assert problems == []
    assert len(seen) > 100 and {'["one', '["two'} <= set(seen)


def test_the_old_revision_finishes_what_it_has_and_its_workers_end(supervised, make_bundle) -> None:
    server = supervised(make_bundle(version("one")))
    server.wait_state("ready")
    old = server.score("").json[1]
    answers = []
    long = threading.Thread(target=lambda: answers.append(server.score("sleep2")))
    queued = threading.Thread(target=lambda: answers.append(server.score("")))
    long.start()
    time.sleep(0.3)
    queued.start()
    time.sleep(0.2)
    server.ask(
        "POST", "/swap", {"bundle": str(make_bundle(version("two"))), "python": sys.executable, "revision": "r2"}
    )
    eventually(lambda: server.status()["revision"] == "r2")
    assert server.score("").json[0] == "two"
    long.join()
    queued.join()
    assert [answer.json[0] for answer in answers] == ["one", "one"]
    eventually(lambda: not os.path.exists(f"/proc/{old}"))


def test_a_swap_that_cannot_be_loaded_leaves_the_old_revision(supervised, make_bundle) -> None:
    server = supervised(make_bundle(version("one")))
    server.wait_state("ready")
    broken = make_bundle("def init():\n    raise OSError('no disk')\ndef run(data): pass\n", serving={"workers": 2})
    server.ask("POST", "/swap", {"bundle": str(broken), "python": sys.executable, "revision": "r2"})
    status = eventually(lambda: (s := server.status())["pending"] and s["pending"]["phase"] == "failed" and s)
    error = status["pending"]["error"]
    assert error["code"] == "init_failed" and "OSError: no disk" in error["message"]
    assert error["file"].endswith("src/score.py") and error["line"] == 2 and "Traceback" in error["traceback"]
    assert status["state"] == "ready" and status["revision"] == "r1"
    assert server.score("").json[0] == "one"
    eventually(lambda: all(w["pid"] is None for w in server.status()["pending"]["workers"]))
    fixed = make_bundle(version("two"))
    server.ask("POST", "/swap", {"bundle": str(fixed), "python": sys.executable, "revision": "r3"})
    eventually(lambda: server.status()["revision"] == "r3")
    assert server.status()["pending"] is None


def test_a_swap_replaces_one_that_is_still_loading(supervised, make_bundle) -> None:
    server = supervised(make_bundle(version("one")))
    server.wait_state("ready")
    slow, fast = make_bundle(version("slow", "time.sleep(30)")), make_bundle(version("fast"))
    server.ask("POST", "/swap", {"bundle": str(slow), "python": sys.executable, "revision": "slow"})
    eventually(lambda: server.status()["pending"]["phase"] == "init")
    pid = server.status()["pending"]["workers"][0]["pid"]
    server.ask("POST", "/swap", {"bundle": str(fast), "python": sys.executable, "revision": "fast"})
    eventually(lambda: server.status()["revision"] == "fast")
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))


def test_a_first_load_that_fails_keeps_the_front_and_says_why(supervised, make_bundle) -> None:
    bundle = make_bundle("def init():\n    raise ValueError('bad weights')\ndef run(x): pass\n")
    server = supervised(bundle)
    status = server.wait_state("failed")
    assert status["serving"] is None and "bad weights" in status["pending"]["error"]["message"]
    answer = server.score("")
    assert answer.status == 503 and "bad weights" in answer.json["message"]
    assert server.get("/").status == 503
    (bundle / "app" / "src" / "score.py").write_text("def init(): pass\ndef run(x): return 'mended'\n")
    assert server.ask("POST", "/reload").status == 202
    server.wait_state("ready")
    assert server.score("").json == "mended"
    assert server.ask("POST", "/stop", {"drain_seconds": 1}).status == 202
    assert server.wait_end() == 0


def test_reload_reads_the_files_again(supervised, make_bundle) -> None:
    bundle = make_bundle(version("one"))
    server = supervised(bundle)
    server.wait_state("ready")
    (bundle / "app" / "src" / "score.py").write_text("def init(): pass\ndef run(x): return 'changed'\n")
    assert server.score("").json[0] == "one"
    server.ask("POST", "/reload")
    eventually(lambda: server.score("").json == "changed")
    assert server.status()["revision"] == "r1"


def test_stop_drains_and_ends_with_0(supervised, make_bundle) -> None:
    server = supervised(make_bundle(version("one")))
    server.wait_state("ready")
    answers = []
    client = threading.Thread(target=lambda: answers.append(server.score("sleep1")))
    client.start()
    time.sleep(0.3)
    assert server.ask("POST", "/stop", {"drain_seconds": 10}).status == 202
    eventually(lambda: refused(server))
    assert server.wait_end() == 0
    client.join()
    assert answers[0].status == 200
    assert not server.control.exists()


def refused(server) -> bool:
    try:
        return server.get("/").status == 503
    except OSError:
        return True


def test_draining_has_an_end(supervised, make_bundle) -> None:
    server = supervised(make_bundle(version("one")))
    server.wait_state("ready")
    client = threading.Thread(target=lambda: server.score("sleep60"))
    client.start()
    time.sleep(0.3)
    start = time.monotonic()
    server.ask("POST", "/stop", {"drain_seconds": 0.5})
    assert server.wait_end() == 0
    assert time.monotonic() - start < 6
    client.join()


def test_sigterm_is_a_stop(supervised, make_bundle) -> None:
    server = supervised(make_bundle(version("one")))
    server.wait_state("ready")
    server.process.send_signal(signal.SIGTERM)
    assert server.wait_end() == 0


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", "/swap", None, 405),
        ("POST", "/swap", {}, 400),
        ("POST", "/swap", {"bundle": "/nowhere"}, 400),
        ("POST", "/swap", {"bundle": 3}, 400),
        ("POST", "/swap", {"bundle": "x", "colour": "red"}, 400),
        ("POST", "/swap", [1], 400),
        ("POST", "/stop", {"drain_seconds": "soon"}, 400),
    ],
)
def test_wrong_requests_are_refused_and_change_nothing(supervised, make_bundle, method, path, content, status) -> None:
    server = supervised(make_bundle(version("one")))
    server.wait_state("ready")
    answer = server.ask(method, path, content)
    assert answer.status == status and answer.json["message"] and answer.json["code"]
    assert server.status()["state"] == "ready" and server.status()["pending"] is None


def test_the_log_goes_to_a_file_that_is_rotated(supervised, make_bundle, tmp_path) -> None:
    file = tmp_path / "logs" / "service.log"
    script = "def init(): pass\ndef run(data):\n    for i in range(30): print('x' * 60000)\n"
    server = supervised(make_bundle(script), "--log-file", file)
    server.wait_state("ready")
    for _ in range(25):
        assert server.score("").status == 200
    eventually(lambda: Path(f"{file}.2").exists())
    server.process.send_signal(signal.SIGTERM)  # it writes what it has before it ends: nothing is moved below us
    assert server.wait_end() == 0
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name, f"{file.name}.1", f"{file.name}.2"]
    assert all(path.stat().st_size < 11 * 1024 * 1024 for path in file.parent.iterdir())
    assert "sendoff.access" not in server.log


def test_who_asks_for_the_state_finds_what_led_to_it_in_the_log(supervised, make_bundle, tmp_path) -> None:
    file = tmp_path / "service.log"
    server = supervised(make_bundle(version("one")), "--log-file", file)
    server.wait_state("ready")
    assert " ready after " in file.read_text()
    for number in range(30):
        assert server.score("", x_request_id=f"request-{number}").status == 200
        assert server.status()["state"] == "ready"
        assert f"request-{number} POST /score 200" in file.read_text()


def test_a_log_that_nobody_reads_does_not_keep_the_state_from_being_told(make_bundle, tmp_path) -> None:
    bundle = make_bundle("def init():\n    for _ in range(40): print('x' * 60000)\ndef run(data): return 1\n")
    control = tmp_path / "c.sock"
    command = [sys.executable, "-m", "sendoff_serving", "--port", "0", "--bundle", bundle, "--control", control]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            eventually(control.exists)

            def state() -> str:
                connection = UnixConnection(str(control))
                try:
                    connection.request("GET", "/status")
                    return json.loads(connection.getresponse().read())["state"]
                except ConnectionRefusedError:  # it is there and does not listen yet
                    return ""
                finally:
                    connection.close()

            eventually(lambda: state() == "ready")
            assert [state() for _ in range(3)] == ["ready"] * 3
        finally:
            process.kill()
