"""What is counted, and the probes (pains 34, 41, 43)."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import re
import signal

import psutil

from .running import eventually

SCRIPT = """
    import os, time

    def init():
        pass

    def run(data):
        if data == "fail": raise ValueError
        if data == "nan": return float("nan")
        time.sleep(float(data or 0))
        return os.getpid()
"""


def samples(server) -> dict[str, float]:
    answer = server.get("/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for line in answer.body.decode().splitlines():
        if not line.startswith("#"):
            assert re.match(r'^sendoff_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+$', line), line
            name, value = line.rsplit(" ", 1)
            found[name] = float(value)
    return found


def test_counts_are_exact_with_four_workers(serve) -> None:
    server = serve(SCRIPT, "--workers", 4)
    bodies = [""] * 60 + ["fail"] * 20 + ["nan"] * 10 + ["0.01"] * 30
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(server.score, bodies))
    server.score(b"\xff")
    for _ in range(5):
        server.get("/")
    got = samples(server)
    assert got['sendoff_requests_total{code="200",reason="ok"}'] == 100
    assert got['sendoff_requests_total{code="500",reason="run_failed"}'] == 20
    assert got['sendoff_requests_total{code="400",reason="body_not_utf8"}'] == 1
    assert sum(value for name, value in got.items() if name.startswith("sendoff_requests_total")) == 121
    assert got["sendoff_request_seconds_count"] == 121
    assert got["sendoff_run_seconds_count"] == 120
    assert got["sendoff_queue_seconds_count"] == 121
    assert got['sendoff_run_seconds_bucket{le="+Inf"}'] == 120
    assert 90 <= got['sendoff_run_seconds_bucket{le="60"}'] <= 120
    assert got["sendoff_results_non_finite_total"] == 10
    assert got["sendoff_requests_in_flight"] == got["sendoff_queue_length"] == 0
    assert got["sendoff_ready"] == 1 and got['sendoff_workers{state="idle"}'] == 4
    assert abs(got["sendoff_start_time_seconds"] - psutil.Process(server.process.pid).create_time()) < 30
    assert got['sendoff_worker_memory_bytes{worker="3"}'] > 3e6


def test_rows_are_exact_over_workers_requests_and_deaths(serve) -> None:
    server = serve(
        """
        import json, os, signal
        def init(): pass
        def run(data):
            if data == "die": os.kill(os.getpid(), signal.SIGKILL)
            return json.loads(data)
        """,
        *("--workers", 3, "--service-name", "svc"),
    )
    bodies = ["[1, 2, 3]", '{"result": [[1, 2], [3, 4]]}', '{"a": [1], "b": [2]}', '"text"', "5", "null", "[]", "x"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(server.score, bodies * 20))
    assert samples(server)["sendoff_rows_total"] == 20 * (3 + 2 + 1 + 1 + 1)
    server.score("die")
    tensor = {"name": "data", "shape": [1], "datatype": "BYTES", "data": ["[1, 2]"]}
    server.request("POST", "/v2/models/svc/infer", json.dumps({"inputs": [tensor]}))
    assert samples(server)["sendoff_rows_total"] == 20 * 8 + 2


def test_rows_of_requests_that_were_joined(serve) -> None:
    server = serve(
        "import json, time\ndef init(): pass\ndef run(d):\n    time.sleep(0.05)\n    return json.loads(d)['data']\n",
        *("--max-batch-rows", 64, "--max-wait-ms", 20),
    )
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(server.score, [{"data": [[1], [2]]}] * 24))
    got = samples(server)
    assert got["sendoff_rows_total"] == 48 and got["sendoff_batched_requests_total"] > 0


def test_what_is_in_flight_and_what_was_refused(serve) -> None:
    server = serve(SCRIPT, "--max-queue", 2)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(server.score, "1.0") for _ in range(5)]
        eventually(lambda: samples(server)["sendoff_queue_length"] == 2)
        assert samples(server)["sendoff_requests_in_flight"] == 3
        concurrent.futures.wait(futures)
    assert samples(server)['sendoff_requests_total{code="503",reason="queue_full"}'] == 2


def test_clients_that_leave_and_workers_that_are_replaced_are_counted(serve) -> None:
    server = serve(SCRIPT)
    pid = server.score("").json
    with server.connect() as link:
        link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n0.5")
        eventually(lambda: samples(server)["sendoff_requests_in_flight"] == 1)
        import socket

        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    eventually(lambda: samples(server).get('sendoff_requests_total{code="499",reason="client_gone"}') == 1)
    assert samples(server)["sendoff_requests_in_flight"] == 0
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: samples(server)["sendoff_worker_restarts_total"] == 1)


def test_the_time_that_requests_wait_inside_a_worker_is_queue_time(serve) -> None:
    server = serve("import time\ndef init(): pass\ndef run(data):\n    time.sleep(0.0004)\n    return 1\n")
    request = b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
    told = []
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(server.connect(30.0)) for _ in range(16)]
        for _ in range(100):
            # Short runs are handed over many at a time, and wait for each other in the worker.
            for link in links:
                link.sendall(request)
            for link in links:
                answer = link.recv(65536)
                assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n1")
                told.append([float(part) for part in re.search(rb"queue;dur=(\S+), run;dur=(\S+)", answer).groups()])
    got = samples(server)
    queued, ran = got["sendoff_queue_seconds_sum"], got["sendoff_run_seconds_sum"]
    assert queued > 3 * ran, "each of 16 waits for half of them"
    assert queued + ran <= got["sendoff_request_seconds_sum"]
    assert sum(queue for queue, _ in told) > 3 * sum(run for _, run in told)


def test_the_time_that_a_request_waits_for_others_to_join_it_is_queue_time(serve) -> None:
    server = serve(
        'import json\ndef init(): pass\ndef run(data): return json.loads(data)["data"]\n',
        *("--max-batch-rows", 64, "--max-wait-ms", 200),
    )
    answer = server.score({"data": [1]})
    queue = float(re.match(r"queue;dur=([\d.]+)", answer.headers["Server-Timing"])[1])
    assert answer.json == [1] and queue > 150
    assert samples(server)["sendoff_queue_seconds_sum"] > 0.15


def test_the_three_probes_differ_as_they_should(start, make_bundle, tmp_path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    bundle = make_bundle(
        "import time, os\ndef init():\n"
        f"    while os.path.exists({str(hold)!r}): time.sleep(0.02)\n"
        "def run(data): return os.getpid()\n"
    )
    server = start("--bundle", bundle, control=tmp_path / "c.sock")

    def probes() -> list[int]:
        return [server.get(f"/health/{name}").status for name in ("live", "startup", "ready")]

    assert probes() == [200, 503, 503]
    hold.unlink()
    server.wait_state("ready")
    assert probes() == [200, 200, 200]
    hold.touch()
    os.kill(server.score("").json, signal.SIGKILL)
    eventually(lambda: probes() == [200, 200, 503])
    hold.unlink()
    eventually(lambda: probes() == [200, 200, 200])
    server.stop()
    assert "/health" not in "\n".join(line for line in server.lines if " 200 " in line)


def test_a_page_to_try_the_service_needs_nothing_else(serve) -> None:
    answer = serve("def init(): pass\ndef run(d): return d\n", "--path-prefix", "a/b").get("/docs")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    page = answer.body.decode()
    assert '"/a/b"' in page and "</html>" in page
    assert not re.search(r'(src|href)="https?:', page)
