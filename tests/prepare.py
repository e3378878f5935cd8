"""What tests build once per machine, built before they ask: beside other work instead of in the middle of a test.

    python tests/prepare.py environments    everything that needs nothing but this environment and the indexes
    python tests/prepare.py programs        what needs a compiler or npm

Whatever fails here is said and makes the exit code 1, and nothing depends on it: a test builds what it does not find.
"""

from __future__ import annotations

import ast
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))

import azurite  # noqa: E402
import environment_cache  # noqa: E402
from serving.interpreters import environment  # noqa: E402

Job = tuple[str, Callable[[], object]]


def conda_environments() -> Iterator[Job]:
    """The environments of services without code, the largest of all: the texts in the tests' own files."""
    for file in sorted((TESTS / "no_code").glob("test_*.py")):
        module = importlib.import_module(f"no_code.{file.stem}")
        for name, text in vars(module).items():
            if name.isupper() and isinstance(text, str) and text.startswith("name: project_environment\n"):
                yield f"{file.name}: {name}", partial(environment_cache.built, text)


def scripts_environments() -> Iterator[Job]:
    """Every ``environment("3.13", "numpy")`` of the tests that is written out."""
    wanted = set()
    for file in sorted([*(TESTS / "serving").glob("test_*.py"), TESTS / "no_code" / "rig.py"]):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "environment":
                words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
                if words and len(words) == len(node.args):
                    wanted.add(tuple(map(str, words)))
    for words in sorted(wanted):
        yield " ".join(words), partial(environment, *words)


def programs() -> Iterator[Job]:
    """What is compiled, and what npm installs."""
    yield "the article's environment", partial(environment_cache.built, environment_cache.ARTICLE_CONDA)
    yield "azurite", azurite.program


def main(what: str) -> int:
    """Build it, three at a time: most of it is waiting for the network."""
    jobs = list(programs()) if what == "programs" else [*conda_environments(), *scripts_environments()]
    failed = False

    def timed(job: Callable[[], object]) -> float:
        began = time.monotonic()
        job()
        return time.monotonic() - began

    with ThreadPoolExecutor(3) as pool:
        running = {pool.submit(timed, job): name for name, job in jobs}
        for done in as_completed(running):
            # BaseException: pytest's skip and fail are no Exceptions.
            if (error := done.exception()) is None:
                print(f"{running[done]}: {done.result():.1f} s", flush=True)
            else:
                failed = True
                print(f"{running[done]}: {type(error).__name__}: {error}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
