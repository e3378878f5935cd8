"""The queue and the deadline: who waits, who is refused, and that nothing can hold the service (pains 36 to 38)."""

from __future__ import annotations

import concurrent.futures
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
    answer = server.score("30")
    assert answer.status == 504
    assert 0.6 < time.monotonic() - start < 3
    assert answer.json["code"] == "scoring_timeout"
    assert answer.json["message"] == "Scoring timeout after 700 ms"
    assert "scoring_timeout_ms" in answer.json["hint"]
    assert answer.headers["x-ms-run-function-failed"] == "True"
    eventually(lambda: server.score("0").status == 200, 5)


def test_a_run_that_never_lets_go_of_the_interpreter_is_cut_too(serve) -> None:
    server = serve("def init(): pass\ndef run(data):\n    while data == 'spin': pass\n", "--scoring-timeout-ms", 500)
    assert server.score("spin").status == 504
    eventually(lambda: server.score("").status == 200, 5)


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
