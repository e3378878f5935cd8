"""Workers forked after init(): one init(), shared memory, replaced without another init() (pain 35)."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import textwrap
import time
from pathlib import Path

import pytest

from .interpreters import interpreter
from .running import eventually

SCRIPT = """
    import os, time
    loads = []

    def init():
        global block
        loads.append(os.getpid())
        block = bytearray(b"x") * 100_000_000

    def run(data):
        if data.startswith("sleep"): time.sleep(float(data[5:]))
        print("scored", data)
        return [os.getpid(), loads, len(block)]
"""


def answers(server, count: int = 40) -> list:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return [answer.json for answer in pool.map(server.score, ["sleep0.02"] * count)]


def pss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]) / 1024


@pytest.mark.parametrize("version", ["3.6", "3.11", "3.13"])
def test_init_runs_once_and_its_memory_is_shared(serve, version: str) -> None:
    server = serve(SCRIPT, "--workers", 4, "--preload", "--python", interpreter(version))
    found = answers(server)
    pids = {pid for pid, _, _ in found}
    loaders = {tuple(loads) for _, loads, _ in found}
    assert len(pids) == 4 and len(loaders) == 1 and not pids & set(loaders.pop())
    assert sum(map(pss_mb, pids)) < 130
    server.score("x", x_request_id="the-id")
    eventually(lambda: any("the-id scored x" in line for line in server.lines))
    server.stop()
    # On a busy machine whoever inherits them reaps them a moment after the front has ended.
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))


def test_a_killed_worker_is_forked_again_without_init(serve) -> None:
    server = serve(SCRIPT, "--workers", 2, "--preload")
    first, loads, _ = server.score("").json
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(server.score, "sleep3") for _ in range(2)]
        time.sleep(0.4)
        os.kill(first, signal.SIGKILL)
        answered = sorted(future.result().status for future in running)
    assert answered == [200, 503]
    found = answers(server)
    assert len({pid for pid, _, _ in found}) == 2
    assert all(loaded == loads for _, loaded, _ in found)
    server.stop()
    assert "SIGKILL" in server.log


def test_a_killed_template_is_replaced(serve) -> None:
    server = serve(SCRIPT, "--workers", 2, "--preload")
    _, (template,), _ = server.score("").json
    os.kill(template, signal.SIGKILL)
    eventually(lambda: (a := server.score("")).status == 200 and a.json[1] != [template])
    assert len({pid for pid, _, _ in answers(server)}) == 2


def test_a_deadline_replaces_a_forked_worker(serve) -> None:
    server = serve(SCRIPT, "--preload", "--scoring-timeout-ms", 800)
    assert server.score("sleep30").status == 504
    eventually(lambda: server.score("").status == 200)


def test_an_init_that_fails_ends_the_command(serve, start, tmp_path) -> None:
    from .running import write_script

    script = write_script(tmp_path, "def init(): raise OSError('no')\ndef run(x): pass\n")
    server = start("--entry-script", script, "--preload", "--workers", 2, wait=False)
    assert server.wait_end() == 3
    assert "init function failed: OSError: no" in server.log


def test_threads_that_a_fork_loses_are_told(serve) -> None:
    server = serve(
        "import threading, time\ndef init(): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "def run(data): return threading.active_count()\n",
        "--preload",
    )
    assert server.score("").json == 1
    server.stop()
    assert "init() has started 1 threads" in server.log


def test_workers_end_with_a_front_that_is_killed(serve) -> None:
    server = serve(SCRIPT, "--workers", 2, "--preload")
    found = answers(server)
    pids = {pid for pid, _, _ in found} | set(found[0][1])
    server.process.kill()
    server.process.wait()

    def gone() -> bool:
        return not any(
            os.path.exists(f"/proc/{pid}") and "Z" not in Path(f"/proc/{pid}/stat").read_text() for pid in pids
        )

    eventually(gone)


# The second is a GNU OpenMP of before 2019, which cannot let its threads go: that of scikit-learn up to 1.7.
@pytest.mark.parametrize("old", [False, True])
def test_threads_of_openmp_that_init_has_used_do_not_hold_the_workers_up(serve, tmp_path, old) -> None:
    """GNU's OpenMP remembers its threads over a fork that does not copy them, and waits for them."""
    server = serve(
        ("import ctypes\nctypes.CDLL = lambda *_: object()\n" if old else "")
        + textwrap.dedent("""
        import os
        os.environ["OMP_NUM_THREADS"] = "4"
        import numpy
        from sklearn.ensemble import HistGradientBoostingRegressor

        import atexit, decimal, threading
        folder = os.path.dirname(os.path.abspath(__file__))
        atexit.register(lambda: open(os.path.join(folder, "ended-%d" % os.getpid()), "w").close())

        def init():
            global model, rows
            decimal.getcontext().prec = 5
            rows = numpy.arange(20_000.0).reshape(2_000, 10)
            model = HistGradientBoostingRegressor(max_iter=5).fit(rows, rows[:, 0])

        def run(data):
            main = threading.current_thread() is threading.main_thread()
            known = [main, str(decimal.Decimal(1) / 3)]
            return [os.getpid(), len(model.predict(rows)), len(os.listdir("/proc/self/task")), known]
        """),
        *("--workers", 2, "--preload", "--scoring-timeout-ms", 20_000, "--max-requests-per-worker", 10),
    )
    answers = [server.score("") for _ in range(30)]
    assert [answer.status for answer in answers] == [200] * 30, answers[0].body
    assert {answer.json[1] for answer in answers} == {2_000}
    assert max(answer.json[2] for answer in answers) >= 4, "its threads are there again"
    assert all(answer.json[3] == [True, "0.33333"] for answer in answers)
    workers = {answer.json[0] for answer in answers}
    server.stop()
    if old:
        assert "forked from another thread" in server.log
    assert all((tmp_path / f"ended-{worker}").exists() for worker in workers)
