"""The short way for numpy samples gives what inference-schema gives, value for value and error for error."""

from __future__ import annotations

import json
import subprocess

import pytest

from sendoff_serving.front.workers.launch import BOOT

from .interpreters import environment

PROGRAM = """
import json, sys, types
package = types.ModuleType("sendoff_serving"); package.__path__ = [sys.argv[1]]
sys.modules["sendoff_serving"] = package
import copy
import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.schema_decorators import input_schema
from sendoff_serving.worker import arrays

values = [
    [[1, 2], [3, 4]], [[1.5, 2]], [[1, 2.5]], [], [[]], [1, 2], [[1]], [[1, 2, 3]], [[1, 2], [3]], "x", None, 5, {},
    [["a", "b"]], [["1", "2"]], [[None, 1]], [[True, False]], [[1e400, 2]], [[float("nan"), 1]], [[2**70, 1]],
    [[-1, 300]], [[[1, 2]]], [{"a": 1}], [[1, [2]]], [[10**400, 1]], [[1.9, -1.9]],
]
wrong, short = [], 0
for dtype in ("float64", "float32", "int64", "int8", "uint8"):
    for sample in (np.zeros((1, 2), dtype), np.zeros(2, dtype), np.zeros((1, 2, 2), dtype)):
        for shape in (True, False):
            kind = NumpyParameterType(sample, enforce_shape=shape)

            @input_schema("data", kind)
            def run(data):
                return data

            (rule,) = arrays.rules_of(run).values()
            for value in values:
                def outcome(given):
                    try:
                        got = run(data=given)
                        return [str(got.dtype), list(got.shape), repr(got.tolist())]
                    except Exception as error:
                        return [type(error).__name__, str(error)]
                converted = arrays.convert(copy.deepcopy(value), rule)
                short += isinstance(converted, np.ndarray)
                if outcome(converted) != outcome(copy.deepcopy(value)):
                    wrong.append([dtype, str(sample.shape), shape, repr(value)[:50]])
for sample in (np.array([True]), np.array(["a"]), np.array([1], "datetime64[s]"), np.array([(1, 2)], "i4,f4")):
    @input_schema("data", NumpyParameterType(sample))
    def other(data):
        return data
    if arrays.rules_of(other):
        wrong.append(str(sample.dtype))
print(json.dumps([wrong, short]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.6", "3.13"])
def test_results_are_identical(version: str, tmp_path) -> None:
    python = environment(version, "inference-schema[numpy-support]")
    command = [python, "-W", "ignore", "-c", PROGRAM, str(BOOT.parent.parent)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    wrong, short = json.loads(done.stdout)
    assert wrong == []
    assert short > 100
