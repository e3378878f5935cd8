"""Workers are recycled, scripts are reloaded: requests are answered throughout (pain 42)."""

from __future__ import annotations

import signal
import threading
import time

from .running import eventually, write_script

PID = "import os\ndef init(): pass\ndef run(data): return os.getpid()\n"


def hammering(server, stop: threading.Event, problems: list, seen: list) -> threading.Thread:
    def hammer() -> None:
        while not stop.is_set():
            answer = server.score("")
            (seen if answer.status == 200 else problems).append(answer.body)

    thread = threading.Thread(target=hammer)
    thread.start()
    return thread


def test_workers_are_replaced_after_their_requests_and_none_fails(serve) -> None:
    server = serve(PID, "--max-requests-per-worker", 40, "--workers", 2)
    stop, problems, seen = threading.Event(), [], []
    threads = [hammering(server, stop, problems, seen) for _ in range(3)]
    eventually(lambda: len(set(seen)) >= 5, 30)
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert "has served" in server.log and "died" not in server.log


def test_a_worker_that_grows_is_replaced_and_no_request_fails(serve) -> None:
    server = serve(
        """
        import os, time
        kept = []

        def init(): pass

        def run(data):
            kept.append(bytearray(b"x") * 1_000_000)
            time.sleep(0.02)
            return os.getpid()
        """,
        *("--recycle-memory-mb", 80),
    )
    stop, problems, seen = threading.Event(), [], []
    threads = [hammering(server, stop, problems, seen) for _ in range(3)]
    eventually(lambda: len(set(seen)) >= 3, 40)
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert "MB; replacing it" in server.log and "died" not in server.log


def test_a_worker_that_is_large_from_the_start_is_not_replaced_for_ever(serve) -> None:
    server = serve(
        "import os\ndef init():\n    global kept\n    kept = bytearray(b'x') * 90_000_000\n"
        "def run(data): return os.getpid()\n",
        *("--recycle-memory-mb", 50),
    )
    first = server.score("").json
    eventually(lambda: "it is not replaced for that" in server.log, 10)
    time.sleep(2.5)  # two more looks
    assert server.score("").json == first and server.log.count("is not replaced for that") == 1


def test_a_forked_worker_is_replaced_too(serve) -> None:
    server = serve(PID, "--max-requests-per-worker", 20, "--preload")
    eventually(lambda: len({server.score("").body for _ in range(30)}) >= 1 and server.log.count("has served") >= 2, 30)
    assert server.score("").status == 200


def test_a_change_of_the_script_is_loaded_and_requests_are_answered_meanwhile(serve, tmp_path) -> None:
    server = serve("def init(): pass\ndef run(data): return 'one'\n", "--reload")
    stop, problems, seen = threading.Event(), [], []
    thread = hammering(server, stop, problems, seen)
    write_script(tmp_path, "import time\ndef init(): time.sleep(0.5)\ndef run(data): return 'two, longer'\n")
    eventually(lambda: b'"two, longer"' in seen[-1:], 15)
    write_script(tmp_path, "def init(: broken\n")
    eventually(lambda: "the one before goes on" in server.log, 15)
    time.sleep(0.2)
    write_script(tmp_path, "def init(): pass\ndef run(data): return 'three is here'\n")
    eventually(lambda: b'"three is here"' in seen[-1:], 15)
    stop.set()
    thread.join()
    assert problems == []


def test_a_broken_script_is_waited_for_when_reloading(start, tmp_path) -> None:
    script = write_script(tmp_path, "import nothing_there\n")
    server = start("--entry-script", script, "--reload")
    assert server.score("").status == 503
    write_script(tmp_path, "def init(): pass\ndef run(data): return 'mended'\n")
    eventually(lambda: server.score("").body == b'"mended"', 15)


def test_before_it_stops_it_is_not_ready_and_serves_11(serve) -> None:
    server = serve(
        "import time\ndef init(): pass\ndef run(data): time.sleep(0.3); return data\n", "--notice-seconds", 3
    )
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: "Not ready any more" in server.log)
    for path in ("/", "/health/ready", "/v2/health/ready"):
        answer = server.get(path)
        assert (answer.status, answer.json["code"]) == (503, "draining"), path
    assert server.get("/health/live").status == 200
    assert server.score("x").status == 200
    answers = []

    def ask_to_the_end() -> None:
        try:
            while True:
                answers.append(server.score("y").status)
        except OSError:
            return  # nobody listens any more

    asking = threading.Thread(target=ask_to_the_end)
    asking.start()
    assert server.wait_end() == 0
    asking.join()
    assert answers and set(answers) == {200}, "what was admitted is finished"
    assert server.log.index("Not ready any more") < server.log.index("Stopping; requests in progress")


def test_a_second_signal_does_not_wait_for_anything(serve) -> None:
    server = serve(PID, "--notice-seconds", 300)
    for _ in range(2):
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: "Not ready any more" in server.log)
    assert server.wait_end(20) == 0
