"""The queue and the deadline: who waits, who is refused, and that nothing can hold the service (pains 36 to 38)."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import time

from .running import eventually, read_all

SLEEPER = """
    import time

    def init():
        pass

    def run(data):
        time.sleep(float(data))
        return data
"""


def together(server, bodies, **more):
    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: server.score(body, **more), bodies))


def test_a_run_over_the_deadline_is_cut_and_its_worker_replaced(serve) -> None:
    server = serve(SLEEPER, "--scoring-timeout-ms", 700)
    start = time.monotonic()
    answer = server.score("300")
    assert answer.status == 504
    assert 0.6 < time.monotonic() - start < 3
    assert answer.json["code"] == "scoring_timeout"
    assert answer.json["message"] == "Scoring timeout after 700 ms"
    assert "scoring_timeout_ms" in answer.json["hint"]
    assert answer.headers["x-ms-run-function-failed"] == "True"
    eventually(lambda: server.score("0").status == 200)


def test_a_run_that_never_lets_go_of_the_interpreter_is_cut_too(serve) -> None:
    server = serve("def init(): pass\ndef run(data):\n    while data == 'spin': pass\n", "--scoring-timeout-ms", 500)
    assert server.score("spin").status == 504
    eventually(lambda: server.score("").status == 200)


SLOW_TO_LOAD = """
    import os, time

    def init():
        if os.path.exists("broken"): raise RuntimeError("no store")
        time.sleep(1.2)

    def run(data):
        if data == "die": os._exit(1)
        time.sleep(float(data))
        return data
"""


def test_the_wait_for_a_worker_counts_from_when_one_can_be_had(serve, tmp_path) -> None:
    server = serve(SLOW_TO_LOAD, "--scoring-timeout-ms", 4000, "--max-request-wait-ms", 300)
    assert server.score("die").status == 503
    assert server.score("0").status == 200  # the replacement takes longer to load than a request waits for a busy one
    # While it is loaded several may come: the first has it at once, the others wait for it from then on.
    assert server.score("die").status == 503
    answers = sorted(answer.status for answer in together(server, ["0.6", "0.6", "0.6"]))
    assert answers == [200, 503, 503]
    assert server.score("300").status == 504
    assert server.score("0").status == 200
    # Where the replacement cannot be loaded nobody knows when there will be one: the wait is that for a busy one.
    (tmp_path / "broken").touch()
    assert server.score("die").status == 503
    eventually(lambda: "could not be loaded" in server.log)
    begun = time.monotonic()
    assert server.score("0").json["code"] == "queue_timeout"
    assert time.monotonic() - begun < 2
    (tmp_path / "broken").unlink()
    eventually(lambda: server.score("0").status == 200)


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(serve) -> None:
    server = serve(SLEEPER, "--max-queue", 2)
    start = time.monotonic()
    answers = together(server, ["0.8"] * 8)
    refused = [answer for answer in answers if answer.status == 503]
    assert sorted(answer.status for answer in answers) == [200] * 3 + [503] * 5
    assert all(answer.json["code"] == "queue_full" and answer.headers["Retry-After"] for answer in refused)
    assert time.monotonic() - start < 6


def test_no_request_waits_longer_than_the_limit(serve) -> None:
    server = serve(SLEEPER, "--max-request-wait-ms", 500)

    def timed(body):
        start = time.monotonic()
        return server.score(body), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        # The long one first, and alone for a moment: on a busy machine a short one may overtake it.
        long = pool.submit(timed, "6")
        time.sleep(0.5)
        results = list(pool.map(timed, ["0.01"] * 5))
        assert long.result()[0].status == 200
    late = [(answer, seconds) for answer, seconds in results if answer.status == 503]
    assert len(late) == 5, [(answer.status, round(seconds, 2), answer.body[:80]) for answer, seconds in results]
    assert all(answer.json["code"] == "queue_timeout" and 0.4 < seconds < 3 for answer, seconds in late)


def test_requests_that_waited_behind_a_stuck_one_are_served_by_the_replacement(serve) -> None:
    server = serve(
        """
        import time, os

        def init():
            pass

        def run(data):
            if data == "stuck":
                time.sleep(60)
            return os.getpid()
        """,
        *("--scoring-timeout-ms", 1500),
    )
    first = server.score("").json
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        stuck = pool.submit(server.score, "stuck")
        time.sleep(1.0)
        waiting = [pool.submit(server.score, "") for _ in range(3)]
        assert stuck.result().status == 504
        answers = [future.result() for future in waiting]
    assert [answer.status for answer in answers] == [200] * 3
    assert first not in [answer.json for answer in answers]


def test_a_deadline_is_kept_while_others_wait_that_are_due_later(serve) -> None:
    server = serve(SLEEPER, "--scoring-timeout-ms", 3000, "--workers", 2)

    def timed(body):
        start = time.monotonic()
        return server.score(body).status, time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        first = pool.submit(timed, "30")
        time.sleep(0.3)
        second = pool.submit(timed, "30")
        time.sleep(2.3)
        pool.submit(timed, "0")  # waits when the first worker is ended, and would for three seconds
        assert first.result()[0] == second.result()[0] == 504
        assert second.result()[1] < 4.6


def test_health_answers_while_run_sleeps(serve) -> None:
    server = serve(SLEEPER)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        busy = [pool.submit(server.score, "0.3") for _ in range(9)]
        times = []
        while not all(future.done() for future in busy):
            start = time.monotonic()
            assert server.get("/").status == 200
            times.append(time.monotonic() - start)
            time.sleep(0.02)
    assert sorted(times)[len(times) // 2] < 0.1


def test_clients_that_hang_up_give_their_place_back(serve) -> None:
    server = serve(SLEEPER)
    for _ in range(30):
        link = socket.create_connection(("127.0.0.1", server.port))
        link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n0.3")
        link.close()
    start = time.monotonic()
    assert server.score("0").status == 200
    assert time.monotonic() - start < 1.5


def test_clients_that_reset_give_their_place_back(serve) -> None:
    server = serve(SLEEPER, "--max-queue", 30)
    for _ in range(30):
        link = socket.create_connection(("127.0.0.1", server.port))
        link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n0.3")
        time.sleep(0.005)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        link.close()
    start = time.monotonic()
    assert server.score("0").status == 200
    assert time.monotonic() - start < 1.5


def test_half_closed_clients_that_had_to_wait_are_served_in_the_end(serve) -> None:
    server = serve(SLEEPER)
    links = []
    for _ in range(4):
        link = socket.create_connection(("127.0.0.1", server.port), 10)
        link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n0.1")
        link.shutdown(socket.SHUT_WR)
        links.append(link)
    assert [read_all(link).endswith(b'"0.1"') for link in links] == [True] * 4
    for link in links:
        link.close()


def test_short_runs_behind_a_long_one_get_their_answers_in_time(serve) -> None:
    """Frames handed over together: a finished answer is not held back by the run() after it."""
    server = serve(SLEEPER)
    for _ in range(50):
        server.score("0")  # the front learns that runs are short and hands several over at once
    with concurrent.futures.ThreadPoolExecutor(24) as pool:

        def timed(body):
            start = time.monotonic()
            assert server.score(body).status == 200
            return time.monotonic() - start

        times = list(pool.map(timed, (["0"] * 7 + ["1.0"]) + ["0"] * 4))
    assert min(times) < 0.9


QUICK_THEN_LONG = """
    import os, time

    def init():
        global ran
        ran = []

    def run(data):
        if data == "ran":
            return ran
        ran.append(data)
        if data == "quick":
            time.sleep(0.0005)
        elif data.startswith("long"):
            time.sleep(0.015)
            time.sleep(float(data[4:]))
        return data
"""


def learned_that_runs_are_quick(serve, *options):
    """A server whose front has seen short runs only, so that it hands several requests over at once."""
    server = serve(QUICK_THEN_LONG, *options)
    for _ in range(50):
        server.score("quick")
    return server


def sent(server, *bodies) -> list[socket.socket]:
    """Send requests over open connections at nearly the same moment, in their order."""
    links = [server.connect(30.0) for _ in bodies]
    for link, body in zip(links, bodies, strict=True):
        head = f"POST /score HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        link.sendall((head + body).encode())
    return links


def test_what_was_handed_over_behind_a_long_run_is_refused_when_its_wait_ends_and_never_run(serve) -> None:
    server = learned_that_runs_are_quick(serve, "--max-request-wait-ms", 1000)
    start = time.monotonic()
    bodies = [f"behind{number}" for number in range(6)]
    long, *behind = sent(server, "long10", *bodies)
    answers = [read_all(link) for link in behind]
    waited = time.monotonic() - start
    assert all(b"503 Service" in answer and b"queue_timeout" in answer for answer in answers), answers
    assert all(b"retry-after:" in answer.lower() for answer in answers)
    assert 0.9 < waited < 6, waited
    assert b" 200 OK" in read_all(long)
    assert not set(server.score("ran").json) & set(bodies)


def test_what_was_handed_over_behind_a_long_run_goes_to_a_worker_that_is_free(serve) -> None:
    server = learned_that_runs_are_quick(serve, "--workers", 2)
    for _ in range(50):
        for link in sent(server, *["quick"] * 4):
            read_all(link)
    # Both workers get some of these; those behind the long one must not wait for its end.
    start = time.monotonic()
    long, *behind = sent(server, "long10", *["quick"] * 20)
    assert all(b" 200 OK" in read_all(link) for link in behind)
    assert time.monotonic() - start < 8
    assert b" 200 OK" in read_all(long)


STREAMS = """
    import time
    from azureml.contrib.services.aml_request import AMLRequest, rawhttp
    from azureml.contrib.services.aml_response import AMLResponse

    def init():
        pass

    @rawhttp
    def run(request):
        seconds = float(request.get_data(False))
        def pieces():
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(0.002)
                yield b"x"
        return AMLResponse(pieces() if seconds else "quick", 200)
"""


def test_nothing_waits_behind_a_stream_while_another_worker_is_free(serve) -> None:
    server = serve(STREAMS, "--workers", 2)
    for _ in range(50):
        for link in sent(server, *["0"] * 4):
            read_all(link)
    long, short = (sent(server, seconds)[0] for seconds in ("8", "1.5"))
    for link in (long, short):
        assert b" 200 OK" in link.recv(65536)
    # Both workers send pieces all the time, so neither can be told by its silence.
    waiting = sent(server, *["0"] * 6)
    assert all(b" 200 OK" in read_all(link) for link in waiting)
    long.setblocking(False)
    got = b""
    with contextlib.suppress(BlockingIOError):
        while piece := long.recv(1 << 20):
            got += piece
    assert not got.endswith(b"\r\n0\r\n\r\n"), "they waited until the long stream had ended"
    long.setblocking(True)
    assert read_all(long).endswith(b"\r\n0\r\n\r\n")


def test_a_client_that_leaves_while_its_request_stands_behind_a_long_run_is_not_scored(serve) -> None:
    server = learned_that_runs_are_quick(serve)
    long, *behind = sent(server, "long2", *["left"] * 5)
    for link in behind:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        link.close()
    assert b" 200 OK" in read_all(long)
    assert "left" not in server.score("ran").json


def test_the_deadline_of_what_stands_behind_a_long_run_is_its_own(serve) -> None:
    server = learned_that_runs_are_quick(serve, "--scoring-timeout-ms", 1500)
    long, *behind = sent(server, "long20", *["quick"] * 5)
    assert b" 504 " in read_all(long)
    # They are run by the replacement, or their time was over: either way each has its answer.
    assert all(b" 200 OK" in answer or b"queue_timeout" in answer for answer in map(read_all, behind))
    eventually(lambda: server.score("quick").status == 200)


def test_joined_requests_that_wait_behind_a_long_call_are_refused_when_their_wait_ends(serve) -> None:
    server = serve(
        """
        import json, time

        def init():
            global ran
            ran = []

        def run(data):
            rows = json.loads(data)["data"]
            if rows == ["ran"]:
                return [ran]
            ran.extend(rows)
            if "long" in rows:
                time.sleep(4)
            return rows
        """,
        *("--max-batch-rows", 64, "--max-request-wait-ms", 800),
    )
    long, first, second = sent(server, '{"data": ["long"]}', '{"data": ["b"], "x": 1}', '{"data": ["c"], "x": 1}')
    answers = [read_all(first), read_all(second)]
    assert all(b"queue_timeout" in answer for answer in answers), answers
    assert b" 200 OK" in read_all(long)
    assert eventually(lambda: (a := server.score({"data": ["ran"]})).status == 200 and a).json == [["long"]]
