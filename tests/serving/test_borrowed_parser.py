"""Bodies for samples of floats are read by the front's parser where the worker can have it; no answer is another."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sendoff_serving.front.workers.launch import BOOT, json_parser

from .interpreters import environment

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"

PROGRAM = r"""
import json, random, sys, types
package = types.ModuleType("sendoff_serving"); package.__path__ = [sys.argv[1]]
sys.modules["sendoff_serving"] = package
import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema
from sendoff_serving.worker.invoke import Invoker, Refusal
from sendoff_serving.worker.script import EntryScript

bodies = [
    b"", b" ", b"5", b"[]", b"null", b"{", b"{}", b'{"data": 1}', b'{"data": [[1, 2]]} x', b'{"data": [[1, 2]],}',
    b'\xef\xbb\xbf{"data": [[1, 2]]}', b'{"data": [["\xff", 2]]}', b'{"data": [["\\ud800", 2]]}', b"\xff",
    b'{"data": [[1, 2]], "data": [[3, 4]]}', b'{"data": [[1, 2]], "more": NaN}', b'{"data": [[1, 2]], "more": 5}',
    b'{"data": [[NaN, 2]]}', b'{"data": [[Infinity, -Infinity]]}', b'{"data": [[1e400, 2]]}', b'{"data": [[-0, 0.0]]}',
    b'{"data": [[-0.0, 1E5]]}', b'{"data": [[18446744073709551615, 18446744073709551616]]}',
    b'{"data": [[123456789012345678901234567890, 9007199254740993]]}', b'{"data": [[' + b"9" * 400 + b', 1]]}',
    b'{"data": [[1.7976931348623157e308, 1.7976931348623159e308]]}', b'{"data": [[4.9e-324, 1e-400]]}',
    b'{"data": [[01, 2]]}', b'{"data": [[1., 2]]}', b'{"data": [[.5, 2]]}', b'{"data": [[+1, 2]]}',
    b'{"data": [[true, null]]}', b'{"data": [["1", "x"]]}', b'{"data": [[1], [1, 2]]}', b'{"data": {"a": 1}}',
    b'\t{ "data" :\r\n[ [ 1 , 2 ] ] } ', b"[" * 100000, b'{"data": ' + b"[" * 2000 + b"]" * 2000 + b"}",
    b'{"data": [[1, 2]], "k\\u0065y": "\\u00e9\x7f"}', b'{"data": [[1, 2]], "x": "\x01"}', b'{"data": [[1 2]]}',
]
chance = random.Random(5)
for _ in range(4000):
    numbers = []
    for _ in range(2 * chance.randint(1, 3)):
        value = chance.choice([
            chance.uniform(-1, 1), chance.gauss(0, 1e5), chance.uniform(-1, 1) * 10.0 ** chance.randint(-320, 308),
            chance.randint(-(10 ** chance.randint(1, 25)), 10 ** chance.randint(1, 25)), chance.randint(-9, 9),
        ])
        numbers.append(chance.choice([repr, lambda x: "%.17e" % x, lambda x: "%.25f" % x, lambda x: "%.3E" % x])(value))
    rows = ["[%s, %s]" % pair for pair in zip(numbers[::2], numbers[1::2])]
    bodies.append(('{"data": [%s]}' % ", ".join(rows)).encode())

def script(kinds):
    def run(data):
        return [str(getattr(data, "dtype", type(data))), repr(getattr(data, "tolist", lambda: data)())]
    for name, kind in kinds.items():
        run = input_schema(name, kind)(run)
    module = types.ModuleType("score")
    module.init, module.run = (lambda: None), run
    entry = EntryScript(module)
    entry.init()
    entry.description(initialised=True)
    return entry

def outcome(invoker, body):
    try:
        return invoker.answer(body, None).body
    except Refusal as refusal:
        return [refusal.status, refusal.content["code"], refusal.content["message"]]

wrong, used = [], []
for name, kind in {
    "float64": NumpyParameterType(np.zeros((1, 2))),
    "float32": NumpyParameterType(np.zeros((1, 2), "f4")),
    "any shape": NumpyParameterType(np.zeros((1, 2)), enforce_shape=False),
    "int64": NumpyParameterType(np.zeros((1, 2), int)),
    "standard": StandardPythonParameterType([[1.5]]),
}.items():
    entry = script({"data": kind})
    plain = Invoker(entry, [], "legacy")
    borrows = Invoker(entry, [], "legacy", json_parser=sys.argv[2])
    if borrows._parser is not None:
        used.append(name)
    wrong += [[name, body[:60].decode("latin-1")] for body in bodies if outcome(plain, body) != outcome(borrows, body)]
print(json.dumps([wrong[:5], used, [module for module in sys.modules if "orjson" in module]]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", [OURS, "3.6"])
def test_answers_are_identical_and_the_script_sees_nothing_of_it(version: str, tmp_path) -> None:
    extension = json_parser()
    assert extension is not None
    python = environment(version, "inference-schema[numpy-support]")
    command = [python, "-W", "ignore", "-c", PROGRAM, str(BOOT.parent.parent), extension]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    wrong, used, seen = json.loads(done.stdout)
    assert wrong == []
    assert used == (["float64", "float32", "any shape"] if version == OURS else [])
    assert seen == []


def test_a_file_that_cannot_be_loaded_leaves_the_standard_library(tmp_path) -> None:
    from importlib.machinery import EXTENSION_SUFFIXES

    from sendoff_serving.worker import borrowed

    broken = tmp_path / f"orjson{EXTENSION_SUFFIXES[0]}"
    broken.write_bytes(b"not a library")
    assert borrowed.parser(str(broken)) is None
    assert borrowed.parser(str(tmp_path / "orjson.cpython-36m-x86_64-linux-gnu.so")) is None
    assert borrowed.parser(None) is None
