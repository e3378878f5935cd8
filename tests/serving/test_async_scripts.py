"""Scripts written with ``async def``: init() runs, run() is waited for, both on one loop (F4); results of classes."""

from __future__ import annotations

import pytest

from .interpreters import environment
from .running import write_script

SCRIPT = """
    import asyncio, dataclasses, os
    from typing import NamedTuple

    async def init():
        global lock, loop
        await asyncio.sleep(0)
        lock, loop = asyncio.Lock(), asyncio.get_running_loop()

    async def run(data):
        async with lock:
            await asyncio.sleep(0)
            assert loop is asyncio.get_running_loop()
        return eval(data)

    @dataclasses.dataclass
    class Inner:
        low: float

    @dataclasses.dataclass(frozen=True)
    class Found:
        label: str
        scores: list
        inner: Inner

    class Attributes:
        class _Attribute:
            name = "a"
        __attrs_attrs__ = (_Attribute,)
        a = 1

    class Model:
        model_fields = {"a": None}
        def model_dump(self): return {"a": 2}

    class Pair(NamedTuple):
        a: int
        b: int

    async def coroutine(): return 1
    async def pieces(): yield 1
"""


def test_init_and_run_are_awaited_on_one_loop(shared) -> None:
    server = shared(SCRIPT)
    assert [server.score(f"{number} * 2").json for number in range(3)] == [0, 2, 4]


def test_what_an_async_run_raises_is_told_as_any(shared) -> None:
    answer = shared(SCRIPT).score("1 / 0")
    assert (answer.status, answer.json["code"]) == (500, "run_failed")
    assert shared(SCRIPT).score("1").status == 200


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Found('a', [1, 2], Inner(0.5))", {"label": "a", "scores": [1, 2], "inner": {"low": 0.5}}),
        ("[Inner(1.5)]", [{"low": 1.5}]),
        ("{'x': Inner(1.5)}", {"x": {"low": 1.5}}),
        ("[Attributes(), Model()]", [{"a": 1}, {"a": 2}]),
        ("Pair(1, 2)", [1, 2]),
    ],
)
def test_objects_with_fields_are_objects(shared, expression: str, expected: object) -> None:
    answer = shared(SCRIPT).score(expression)
    assert (answer.status, answer.json) == (200, expected)


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("(number for number in range(3))", "generator"),
        ("[coroutine()]", "coroutine"),
        ("{'a': coroutine()}", "coroutine"),
        ("pieces()", "async_generator"),
        ("coroutine()", "coroutine"),
    ],
)
def test_what_is_no_value_yet_is_refused_in_a_sentence(shared, expression: str, kind: str) -> None:
    answer = shared(SCRIPT).score(expression)
    assert (answer.status, answer.json["code"]) == (500, "result_not_encodable")
    assert f"a {kind} is no value yet" in answer.json["message"]


def test_an_async_init_that_fails_ends_the_start_as_any_other(tmp_path, start) -> None:
    text = 'async def init(): raise ValueError("no model here")\nasync def run(data): return data\n'
    server = start("--entry-script", write_script(tmp_path, text), wait=False)
    assert server.wait_end() == 3
    assert "User's init function failed: ValueError: no model here" in server.log


def test_a_forked_worker_has_a_loop_of_its_own(serve) -> None:
    server = serve(
        """
        import asyncio, os

        async def init(): await asyncio.sleep(0)

        async def run(data):
            await asyncio.sleep(0.01)
            return os.getpid()
        """,
        "--preload",
        "--workers",
        "2",
    )
    assert all(server.score("x").status == 200 for _ in range(20))


def test_batches_and_schemas_are_awaited_too(serve) -> None:
    server = serve(
        """
        from inference_schema.schema_decorators import input_schema
        from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType

        def init(): pass

        @input_schema("data", StandardPythonParameterType([1.0]))
        async def run(data): return [number * 2 for number in data]
        """,
        "--python",
        environment("3.13", "inference-schema[numpy-support]"),
    )
    assert server.score('{"data": [1, 2]}').json == [2, 4]
