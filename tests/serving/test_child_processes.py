"""Functions of the score script in processes that it starts, by every way in which libraries start them."""

from __future__ import annotations

import sys

import pytest

from .interpreters import environment

# What the children do is the script's own and needs what it imports: one function, one class, one constant.
SCRIPT = """
import concurrent.futures, multiprocessing, os

FACTOR = 3

class Scaler:
    def __init__(self, factor): self.factor = factor
    def __call__(self, number): return number * self.factor

def triple(number): return [number * FACTOR, __name__, os.getpid() != PARENT]

PARENT = int(os.environ.setdefault("PARENT_OF_ALL", str(os.getpid())))

def init(): pass

def run(data):
    way = data
    if way.startswith("joblib"):
        from joblib import Parallel, delayed
        backend = way.partition(" ")[2]
        return Parallel(n_jobs=2, backend=backend)(delayed(triple)(number) for number in (1, 2))
    kind, _, method = way.partition(" ")
    context = multiprocessing.get_context(method)
    if kind == "pool":
        with context.Pool(2) as pool: return pool.map(triple, [1, 2])
    if kind == "object":
        with context.Pool(1) as pool: return pool.map(Scaler(FACTOR), [1, 2])
    if kind == "executor":
        with concurrent.futures.ProcessPoolExecutor(2, context) as pool: return list(pool.map(triple, [1, 2]))
    if kind == "process":
        queue = context.Queue()
        process = context.Process(target=put, args=(queue,))
        process.start()
        found = queue.get(timeout=20)
        process.join(20)
        return found

def put(queue): queue.put([triple(1), triple(2)])
"""
TRIPLED = [[3, "entry_module", True], [6, "entry_module", True]]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["pool", "executor", "process"])
def test_every_start_method_of_the_standard_library(shared, kind, method) -> None:
    assert shared(SCRIPT, "--scoring-timeout-ms", 60000).score(f"{kind} {method}").json == TRIPLED


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_objects_of_the_scripts_classes(shared, method) -> None:
    assert shared(SCRIPT, "--scoring-timeout-ms", 60000).score(f"object {method}").json == [3, 6]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_script_that_chooses_its_start_method_when_it_is_imported(shared, method) -> None:
    # SeldonIO/seldon-core#4388: the line stands at the top of the script, which its children import again.
    script = f"""
        import multiprocessing
        from multiprocessing import Pool
        multiprocessing.set_start_method("{method}")
        def double(number): return number * 2
        def init(): pass
        def run(data):
            with Pool(2) as pool: return pool.map(double, [1, 2])
    """
    assert shared(script, "--scoring-timeout-ms", 60000).score("x").json == [2, 4]


@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_in_a_forked_worker_too(shared, preload) -> None:
    server = shared(SCRIPT, "--scoring-timeout-ms", 60000, *preload)
    assert server.score("pool spawn").json == TRIPLED


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_libraries_that_ship_functions(shared, backend) -> None:
    python = environment(f"{sys.version_info[0]}.{sys.version_info[1]}", "joblib")
    server = shared(SCRIPT, "--scoring-timeout-ms", 60000, "--python", python)
    assert server.score(f"joblib {backend}").json == TRIPLED


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.6", "3.9", "3.13"])
def test_in_every_python(shared, version) -> None:
    server = shared(SCRIPT, "--scoring-timeout-ms", 60000, "--python", environment(version))
    assert server.score("pool spawn").json == TRIPLED
