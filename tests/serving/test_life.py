"""Workers are recycled, scripts are reloaded: requests are answered throughout (pain 42)."""

from __future__ import annotations

import http.client
import io
import signal
import socket
import threading
import time

import pytest

from .running import eventually, read_all, write_script

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
    server.stop()
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
    server.stop()
    assert "MB; replacing it" in server.log and "died" not in server.log


def test_a_worker_that_is_large_from_the_start_is_not_replaced_for_ever(serve) -> None:
    server = serve(
        "import os\ndef init():\n    global kept\n    kept = bytearray(b'x') * 90_000_000\n"
        "def run(data): return os.getpid()\n",
        *("--recycle-memory-mb", 50),
    )
    first = server.score("").json
    eventually(lambda: "it is not replaced for that" in server.log)
    time.sleep(2.5)  # two more looks
    assert server.score("").json == first
    server.stop()
    assert server.log.count("is not replaced for that") == 1


def test_a_forked_worker_is_replaced_too(serve) -> None:
    server = serve(PID, "--max-requests-per-worker", 20, "--preload")
    eventually(lambda: len({server.score("").body for _ in range(30)}) >= 1 and server.log.count("has served") >= 2, 30)
    assert server.score("").status == 200


def test_a_change_of_the_script_is_loaded_and_requests_are_answered_meanwhile(serve, tmp_path) -> None:
    server = serve("def init(): pass\ndef run(data): return 'one'\n", "--reload")
    stop, problems, seen = threading.Event(), [], []
    thread = hammering(server, stop, problems, seen)
    write_script(tmp_path, "import time\ndef init(): time.sleep(0.5)\ndef run(data): return 'two, longer'\n")
    eventually(lambda: b'"two, longer"' in seen[-1:])
    write_script(tmp_path, "def init(: broken\n")
    eventually(lambda: "the one before goes on" in server.log)
    time.sleep(0.2)
    write_script(tmp_path, "def init(): pass\ndef run(data): return 'three is here'\n")
    eventually(lambda: b'"three is here"' in seen[-1:])
    stop.set()
    thread.join()
    assert problems == []


def test_a_broken_script_is_waited_for_when_reloading(start, tmp_path) -> None:
    script = write_script(tmp_path, "import nothing_there\n")
    server = start("--entry-script", script, "--reload")
    assert server.score("").status == 503
    write_script(tmp_path, "def init(): pass\ndef run(data): return 'mended'\n")
    eventually(lambda: server.score("").body == b'"mended"')


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


ECHO = "import time\ndef init(): pass\ndef run(data): time.sleep(float(data)); return data\n"


def asking(seconds: str, body: bool = True) -> bytes:
    head = f"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: {len(seconds)}\r\n\r\n"
    return (head + seconds if body else head).encode()


def answers_of(link: socket.socket) -> list[http.client.HTTPResponse]:
    """Read answers until the server closes; each is whole."""
    got, found = io.BytesIO(read_all(link)), []
    while got.tell() < len(got.getbuffer()):
        answer = http.client.HTTPResponse(OneAnswer(got))
        answer.begin()
        answer.read()
        found.append(answer)
    return found


class OneAnswer:
    """What http.client reads an answer from."""

    def __init__(self, data: io.BytesIO) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        self._data.close = lambda: None  # the next answer follows
        return self._data


@pytest.mark.parametrize("seconds", ["0", "0.002"])
def test_no_request_of_a_kept_connection_is_lost_when_it_stops(serve, seconds) -> None:
    """A client that was told nothing sends the next request as soon as it has an answer: that is answered too."""
    server = serve(ECHO, "--workers", 2)
    lost, done = [], []

    def client() -> None:
        with server.connect(30) as link, link.makefile("rb") as answers:
            while True:
                link.sendall(asking(seconds))
                status = answers.readline()
                if not status.startswith(b"HTTP/1.1 200"):
                    lost.append(status)
                    return
                headers = http.client.parse_headers(answers)
                answers.read(int(headers["Content-Length"]))
                done.append(1)
                if headers["Connection"] == "close":
                    return

    clients = [threading.Thread(target=client) for _ in range(24)]
    for each in clients:
        each.start()
    eventually(lambda: len(done) > 300, 30)
    server.process.send_signal(signal.SIGTERM)
    assert server.wait_end() == 0
    for each in clients:
        each.join()
    assert not lost and server.log.count("POST /score 200") == len(done)


def test_bodies_that_are_still_coming_when_it_stops_are_waited_for(serve) -> None:
    server = serve(ECHO)
    uploading, pipelining, idle = server.connect(30), server.connect(30), server.connect(30)
    idle.sendall(asking("0"))
    assert idle.recv(4096).startswith(b"HTTP/1.1 200")
    uploading.sendall(asking("0.01", body=False) + b"0.")
    pipelining.sendall(asking("0.3") + asking("0.02", body=False) + b"0.")
    eventually(lambda: "sendoff_requests_in_flight 1" in server.get("/metrics").body.decode())
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: "Stopping; requests in progress" in server.log)
    assert idle.recv(4096) == b""  # nothing came of it
    time.sleep(0.5)
    uploading.sendall(b"01")
    pipelining.sendall(b"02")
    for link, expected in ((uploading, [True]), (pipelining, [False, True])):
        answers = answers_of(link)
        assert [answer.status for answer in answers] == [200] * len(expected)
        assert [answer.headers["Connection"] == "close" for answer in answers] == expected
        link.close()
    assert server.wait_end() == 0


def test_a_body_that_never_comes_holds_no_server_longer_than_its_drain_time(serve) -> None:
    server = serve(ECHO, "--drain-seconds", 1)
    with server.connect(30) as link:
        link.sendall(asking("0.01", body=False) + b"0.")
        eventually(lambda: "sendoff_connections 2" in server.get("/metrics").body.decode())
        server.process.send_signal(signal.SIGTERM)
        assert server.wait_end() == 0
