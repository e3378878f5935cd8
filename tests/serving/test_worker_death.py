"""Workers that die, fork, exit or break their own process: one request fails, the service recovers (pain 36)."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import time

import pytest

from .running import eventually

SCRIPT = """
    import os, signal, sys, time, subprocess

    def init():
        pass

    def run(data):
        if data == "kill": os.kill(os.getpid(), signal.SIGKILL)
        if data == "segfault":
            import ctypes
            ctypes.string_at(0)
        if data == "_exit": os._exit(7)
        if data == "exit": sys.exit(4)
        if data == "interrupt": raise KeyboardInterrupt
        if data == "fork":
            if os.fork() == 0: return "child"
        if data == "fork_exec": return subprocess.check_output(["echo", "hi"]).decode()
        if data == "closefds": os.closerange(0, 4096)
        if data == "closestd":
            sys.stdout.close(); sys.stderr.close(); os.close(1); os.close(2); print("gone")
        if data == "garbage":
            os.write(1, b"SF\\x01\\x06" * 1000 + b"\\xff\\x00 garbage"); os.write(2, bytes(range(256)))
            for fd in range(3, 20):
                pass
        if data == "recursion": return run_deep()
        if data == "memory": raise MemoryError
        if data == "signal": os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)
        if data.startswith("sleep"): time.sleep(float(data[5:]))
        return os.getpid()

    def run_deep():
        return run_deep()
"""


@pytest.fixture
def server(serve):
    return serve(SCRIPT, "--scoring-timeout-ms", 20000)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("kill", "SIGKILL"),
        ("segfault", "SIGSEGV"),
        ("_exit", "exited with status 7"),
        ("signal", "SIGTERM"),
    ],
)
def test_a_worker_that_dies_fails_its_request_and_is_replaced_within_a_second(server, body, reason) -> None:
    time.sleep(1.0)  # a worker that has just started is given a moment more
    answer = server.score(body)
    died = time.monotonic()
    assert answer.status == 503
    assert answer.json["code"] == "worker_died" and reason in answer.json["message"]
    assert answer.headers["Retry-After"]
    assert server.score("").status == 200
    assert time.monotonic() - died < 3


@pytest.mark.parametrize("body", ["exit", "interrupt", "recursion", "memory"])
def test_exceptions_of_every_kind_fail_only_their_request(shared, body) -> None:
    server = shared(SCRIPT, "--scoring-timeout-ms", 20000)
    pid = server.score("").json
    answer = server.score(body)
    assert (answer.status, answer.json["code"]) == (500, "run_failed")
    assert server.score("").json == pid


def test_a_run_that_forks_and_returns_twice_is_answered_once(server) -> None:
    pid = server.score("").json
    assert server.score("fork").json == pid
    for _ in range(20):
        assert server.score("").json == pid
    assert server.score("fork_exec").json == "hi\n"


def test_closing_descriptors_fails_at_most_that_request(server) -> None:
    assert server.score("closestd").status == 200
    assert server.score("").status == 200
    assert server.score("closefds").status in (200, 503)
    assert eventually(lambda: server.score("").status == 200)


def test_garbage_on_the_standard_streams_reaches_the_log_and_nothing_else(server) -> None:
    for _ in range(5):
        assert server.score("garbage").status == 200
    eventually(lambda: "garbage" in server.log)


def test_a_worker_killed_when_idle_is_replaced(serve) -> None:
    server = serve(SCRIPT)
    for _ in range(3):
        pid = server.score("").json
        os.kill(pid, signal.SIGKILL)
        eventually(lambda pid=pid: server.score("").json != pid)


def test_kills_under_load_fail_no_more_than_what_was_running(serve) -> None:
    server = serve(SCRIPT, "--workers", 2)
    stop = time.monotonic() + 4
    failed: list[str] = []
    answered = 0

    def hammer() -> None:
        nonlocal answered
        while time.monotonic() < stop:
            answer = server.score("")
            if answer.status == 200:
                answered += 1
            else:
                failed.append(answer.json["code"])

    kills = 0
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(hammer) for _ in range(7)]
        while time.monotonic() < stop - 1.2:
            time.sleep(0.4)
            answer = server.score("")
            if answer.status == 200:
                os.kill(answer.json, signal.SIGKILL)
                kills += 1
        for client in clients:
            client.result()
    assert answered > 50
    assert set(failed) <= {"worker_died"}
    assert len(failed) <= kills * 8
    assert server.score("").status == 200


def test_a_worker_over_its_memory_limit_is_replaced_and_says_so(serve) -> None:
    server = serve(
        """
        import os, time

        def init():
            pass

        def run(data):
            if data:
                block = bytearray(300_000_000)
                block[::4096] = b"x" * len(block[::4096])
                time.sleep(10)
            return os.getpid()
        """,
        *("--memory-limit-mb", 150),
    )
    answer = server.score("x")
    assert (answer.status, answer.json["code"]) == (503, "worker_over_memory")
    assert "150 MB" in answer.json["message"]
    assert server.score("").status == 200
    server.stop()
    assert "over the limit of 150 MB" in server.log


def test_a_run_that_allocates_without_end_is_killed_and_nothing_else(serve) -> None:
    server = serve(
        """
        import os, time

        def init():
            pass

        def run(data):
            blocks = []
            while data == "more":
                blocks.append(bytearray(b"x") * 10_000_000)
                time.sleep(0.02)
            return os.getpid()
        """,
        *("--memory-limit-mb", 300, "--workers", 2),
    )
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        greedy = pool.submit(server.score, "more")
        while not greedy.done():
            assert server.score("").status == 200
    answer = greedy.result()
    assert (answer.status, answer.json["code"]) == (503, "worker_over_memory")
    assert server.score("").status == 200


def test_workers_end_with_a_front_that_is_killed(serve) -> None:
    server = serve(SCRIPT, "--workers", 2)
    pids = {server.score("").json for _ in range(10)}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        cut_off = pool.submit(server.score, "sleep60")
        time.sleep(0.3)
        server.process.kill()
        assert isinstance(cut_off.exception(), OSError)
    server.process.wait()

    def gone() -> bool:
        return not any(os.path.exists(f"/proc/{pid}") and "Z" not in open(f"/proc/{pid}/stat").read() for pid in pids)

    eventually(gone)


def test_stopping_finishes_what_runs_and_leaves_no_process(serve) -> None:
    server = serve(SCRIPT)
    pid = server.score("").json
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.score, "sleep1")
        time.sleep(0.4)
        assert server.stop() == 0
        assert running.result().status == 200
    assert not os.path.exists(f"/proc/{pid}")
