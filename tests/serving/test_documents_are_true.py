"""Schemathesis makes requests from the document and finds no answer that it does not describe."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .interpreters import environment

# numpy reads true and 1.5 as integers where it is told to; inference-schema leaves that to it, and so do we.
# A schema cannot say that a tensor's data has as many elements as its shape says, so made-up ones are refused.
LENIENT = ("--exclude-checks", "negative_data_rejection", "--exclude-path-regex")
TENSORS = "/infer$"
# What no script changes is asked for once in each version of the document.
SAME_FOR_ALL = r"^/$|^/v2$|/live$|/ready$"

IMPORTS = """
import numpy as np
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
def init(): pass
"""

ARRAY = """
@input_schema('data', NumpyParameterType(np.array([[10, 9, 8]])))
@output_schema(NumpyParameterType(np.array([3726.995])))
def run(data):
    return data.sum(axis=1) * 1.0
"""

PLAIN_TYPES = """
@input_schema('text', StandardPythonParameterType("a"))
@input_schema('flag', StandardPythonParameterType(True))
@output_schema(StandardPythonParameterType({"length": 1}))
def run(text, flag=False):
    return {"length": len(text)}
"""


NESTED = """
@input_schema('inputs', StandardPythonParameterType(
    {"name": StandardPythonParameterType("a"), "rows": NumpyParameterType(np.array([[1, 2]]))}))
@output_schema(StandardPythonParameterType({"who": "a", "sums": [0.5]}))
def run(inputs):
    rows = inputs.get("rows", np.zeros((0, 2)))  # the package lets members of a nested sample be left out
    return {"who": inputs.get("name", ""), "sums": [float(value) for value in rows.sum(axis=1)]}
"""

TEXT = """
def run(data):
    return {"seen": data}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "version", "left_out"),
    [
        (ARRAY, "3", TENSORS),
        (ARRAY, "3.1", f"{TENSORS}|{SAME_FOR_ALL}"),
        (PLAIN_TYPES, "3", f"{TENSORS}|{SAME_FOR_ALL}"),
        (PLAIN_TYPES, "3.1", f"{TENSORS}|{SAME_FOR_ALL}"),
        (NESTED, "3.1", f"{TENSORS}|{SAME_FOR_ALL}"),
        (TEXT, "3.1", TENSORS),
    ],
    ids=["array-3", "array-3.1", "types-3", "types-3.1", "nested-3.1", "text-3.1"],
)
def test_answers_are_as_the_document_says(start, tmp_path: Path, text: str, version: str, left_out: str) -> None:
    tool = Path(environment("3.12", "schemathesis")).with_name("schemathesis")
    script = tmp_path / "score.py"
    script.write_text(IMPORTS + text)
    server = start("--entry-script", script, "--python", environment("3.13", "inference-schema[numpy-support]"))
    url = f"http://127.0.0.1:{server.port}/swagger.json?version={version}"
    done = subprocess.run(
        [str(tool), "run", url, "-n", "40", "--no-color", "--seed", "1", *LENIENT, left_out],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout[-4000:]
