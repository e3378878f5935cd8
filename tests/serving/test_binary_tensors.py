"""Tensors as bytes, and compressed bodies: requests are written here byte for byte as the specification has them."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from .interpreters import environment
from .running import Answer, Server, write_script

TEXT = """
    import json
    def init(): pass
    def run(data):
        return json.loads(data)
"""
TENSORS = """
    from azureml.contrib.services.aml_request import rawhttp
    def init(): pass
    @rawhttp
    def run(request): return {"size": len(request.get_data()), "coding": request.content_encoding}
    def describe_service():
        shape = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
        return {"tensors": {"inputs": [shape], "outputs": []}, "models": {"svc": ["1"]}}
    def infer_tensors(inputs):
        found = {}
        for name, tensor in inputs.items():
            found[name] = [str(value) for value in tensor["data"]]
            found[name + "_shape"] = tensor["shape"]
        return found
"""
PATH = "/v2/models/svc/infer"


def tensor(name: str, datatype: str, shape: list[int], size: int) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": size}}


def strings(*values: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def infer(server: Server, inputs: Any, content: bytes, coding: str = "", **more: Any) -> Answer:
    text = json.dumps({"inputs": inputs, **more}).encode()
    body, headers = text + content, {"Inference-Header-Content-Length": str(len(text))}
    if coding:
        body = {"gzip": gzip.compress, "deflate": zlib.compress}[coding](body)
        headers["Content-Encoding"] = coding
    return server.request("POST", PATH, body, headers)


def outputs(answer: Answer) -> dict[str, tuple[str, list[int], Any]]:
    """Return datatype, shape and data (bytes or a list) of each output, by its name."""
    assert answer.status == 200, answer.body
    length = answer.headers["Inference-Header-Content-Length"]
    assert answer.headers["Content-Type"] == ("application/octet-stream" if length else "application/json")
    at = int(length or len(answer.body))
    found = {}
    for one in json.loads(answer.body[:at])["outputs"]:
        size = one.get("parameters", {}).get("binary_data_size")
        if size is None:
            data = one["data"]
        else:
            assert "data" not in one
            data, at = answer.body[at : at + size], at + size
        found[one["name"]] = (one["datatype"], one["shape"], data)
    assert at == len(answer.body)
    return found


@pytest.fixture
def plain(shared) -> Server:
    return shared(TEXT, "--service-name", "svc", "--max-body-bytes", "100000")


@pytest.fixture
def bare(shared) -> Server:
    return shared(TENSORS, "--service-name", "svc")


def given(text: str) -> tuple[list[dict[str, Any]], bytes]:
    content = strings(text.encode())
    return [tensor("data", "BYTES", [1], len(content))], content


@pytest.mark.parametrize(
    ("datatype", "code", "values"),
    [
        ("INT8", "b", [-128, 127]),
        ("UINT8", "B", [0, 255]),
        ("INT16", "h", [-32768, 1]),
        ("UINT16", "H", [65535, 1]),
        ("INT32", "i", [-(2**31), 1]),
        ("UINT32", "I", [2**32 - 1, 1]),
        ("INT64", "q", [-(2**63), 1]),
        ("UINT64", "Q", [2**64 - 1, 1]),
        ("FP16", "e", [1.5, -2.0]),
        ("FP32", "f", [1.5, float("inf")]),
        ("FP64", "d", [0.1, -1e300]),
        ("BOOL", "?", [True, False]),
    ],
)
def test_every_datatype_arrives(bare: Server, datatype: str, code: str, values: list[Any]) -> None:
    content = struct.pack(f"<2{code}", *values)
    found = outputs(infer(bare, [tensor("x", datatype, [2, 1], len(content))], content))
    assert found["x"][2] == [str(value) for value in values] and found["x_shape"][2] == [2, 1]


def test_bf16_is_the_upper_half_of_fp32(bare: Server) -> None:
    content = b"".join(struct.pack("<f", value)[2:] for value in (1.5, -2.0))
    assert outputs(infer(bare, [tensor("x", "BF16", [2], 4)], content))["x"][2] == ["1.5", "-2.0"]
    text = json.dumps({"inputs": [{"name": "x", "datatype": "BF16", "shape": [1], "data": [1.5]}]})
    refused = bare.request("POST", PATH, text)
    assert refused.status == 400 and "BF16" in refused.json["error"] and "FP32" in refused.json["error"]


def test_bytes_are_text_where_all_of_them_are(bare: Server) -> None:
    for values, expected in ((("ä".encode(), b""), ["ä", ""]), ((b"a", b"\xff"), ["b'a'", r"b'\xff'"])):
        content = strings(*values)
        assert outputs(infer(bare, [tensor("x", "BYTES", [2], len(content))], content))["x"][2] == expected


def test_several_inputs_lie_one_after_the_other(bare: Server) -> None:
    inputs = [
        tensor("a", "INT16", [2], 4),
        {"name": "b", "datatype": "INT64", "shape": [1], "data": [7]},
        tensor("c", "BYTES", [1], 6),
        tensor("d", "FP32", [0], 0),
    ]
    found = outputs(infer(bare, inputs, struct.pack("<2h", 1, -1) + strings(b"hi")))
    assert [found[name][2] for name in "abcd"] == [["1", "-1"], ["7"], ["hi"], []]


def test_a_body_without_json_is_the_only_input(bare: Server) -> None:
    answer = bare.request("POST", PATH, struct.pack("<4f", 1, 2, 3, 4), {"Inference-Header-Content-Length": "0"})
    found = outputs(answer)
    assert found["x"] == ("BYTES", [4], strings(b"1.0", b"2.0", b"3.0", b"4.0"))
    assert found["x_shape"] == ("INT64", [2], struct.pack("<2q", 2, 2))
    odd = bare.request("POST", PATH, b"12345", {"Inference-Header-Content-Length": "0"})
    assert odd.status == 400 and "needs 0 bytes as FP32, its binary_data_size is 5" in odd.json["error"]


def test_a_text_without_json_is_the_argument(plain: Server) -> None:
    answer = plain.request("POST", PATH, b"[1.5, 2]", {"Inference-Header-Content-Length": "0"})
    assert outputs(answer) == {"output": ("FP64", [2], struct.pack("<2d", 1.5, 2))}


def test_outputs_come_as_they_are_asked_for(plain: Server) -> None:
    inputs, content = given('{"a": [1, 2], "b": ["x", "é"], "c": [true], "d": [[1], [2, 3]]}')
    every = {
        "a": ("INT64", [2], struct.pack("<2q", 1, 2)),
        "b": ("BYTES", [2], strings(b"x", "é".encode())),
        "c": ("BOOL", [1], b"\1"),
        "d": ("BYTES", [1], strings(b"[[1], [2, 3]]")),
    }
    assert outputs(infer(plain, inputs, content, parameters={"binary_data_output": True})) == every
    assert outputs(infer(plain, inputs, content))["a"] == ("INT64", [2], [1, 2])
    wanted = [{"name": "c", "parameters": {"binary_data": True}}, {"name": "a"}]
    found = outputs(infer(plain, inputs, content, outputs=wanted))
    assert list(found.items()) == [("c", every["c"]), ("a", ("INT64", [2], [1, 2]))]
    wanted = [{"name": "c", "parameters": {"binary_data": False}}, {"name": "a"}]
    found = outputs(infer(plain, inputs, content, outputs=wanted, parameters={"binary_data_output": True}))
    assert found == {"c": ("BOOL", [1], [True]), "a": every["a"]}


def test_a_result_without_a_name_has_the_one_it_is_asked_for_by(plain: Server) -> None:
    inputs, content = given("[1]")
    inputs[0]["name"] = "input-0"
    wanted = [{"name": "predict", "parameters": {"binary_data": True}}]
    assert outputs(infer(plain, inputs, content, outputs=wanted)) == {"predict": ("INT64", [1], struct.pack("<q", 1))}


@pytest.mark.parametrize(
    ("inputs", "content", "said"),
    [
        ([tensor("x", "FP32", [2, 2], 15)], b"1" * 15, ("'x'", "[2, 2]", "16 bytes", "is 15")),
        ([tensor("x", "FP32", [1], 4)], b"1" * 5, ("5 bytes follow", "is 4")),
        ([tensor("x", "FP32", [1], 4)], b"123", ("'x'", "is 4", "only 3 bytes left")),
        ([tensor("x", "FP32", [1], -4)], b"", ("'x'", "not -4")),
        ([tensor("x", "FP32", [1], "4")], b"1234", ("'x'", "not '4'")),
        ([{**tensor("x", "FP32", [1], 4), "data": [1]}], b"1234", ("'x'", "both")),
        ([tensor("x", "BOOL", [2], 2)], b"\1\2", ("'x'", "0 or 1")),
        ([tensor("x", "BYTES", [1], 3)], b"\1\0\0", ("'x'", "within the length of its element 0")),
        ([tensor("x", "BYTES", [1], 6)], b"\5\0\0\0hi", ("element 0 of 'x'", "5 bytes", "only 2")),
        ([tensor("x", "BYTES", [3], 4)], b"\0\0\0\0", ("'x'", "3 elements", "1")),
        ([tensor("x", "FP32", [10**15, 10**15], 4)], b"1234", ("'x'", "its binary_data_size is 4")),
        ([{"name": "x", "datatype": "FP32", "shape": [1], "parameters": []}], b"", ("'x'", "object")),
        (
            [{"name": "x", "datatype": "FP32", "shape": [1], "parameters": {"shared_memory_region": "r"}}],
            b"",
            ("'x'", "shared memory"),
        ),
    ],
)
def test_wrong_sizes_name_the_input_and_what_was_expected(
    bare: Server, inputs: Any, content: bytes, said: tuple[str, ...]
) -> None:
    answer = infer(bare, inputs, content)
    assert (answer.status, answer.json["code"]) == (400, "tensor_invalid")
    assert all(part in answer.json["error"] for part in said), answer.json


def test_wrong_headers_and_parameters_are_named(plain: Server) -> None:
    inputs, content = given("1")
    for parameters, more in (
        ({"binary_data_output": 1}, {}),
        ([], {}),
        ({}, {"outputs": [{"name": "output", "parameters": {"binary_data": "yes"}}]}),
        ({}, {"outputs": [{"name": "output", "parameters": {"classification": 3}}]}),
        ({}, {"outputs": ["output"]}),
        ({}, {"outputs": {"name": "output"}}),
    ):
        answer = infer(plain, inputs, content, parameters=parameters, **more)
        assert (answer.status, answer.json["code"]) == (400, "tensor_invalid"), (parameters, more)
    text = json.dumps({"inputs": inputs})
    missing = plain.request("POST", PATH, text)
    assert missing.status == 400 and "Inference-Header-Content-Length" in missing.json["error"]
    for length in ("x", "-1", "1e3", str(len(text) + 1), "9" * 30):
        answer = plain.request("POST", PATH, text, {"Inference-Header-Content-Length": length})
        assert (answer.status, answer.json["code"]) == (400, "tensor_invalid"), length
    unread = infer(plain, [tensor("data", "BYTES", [1], 5)], strings(b"\xff"))
    assert unread.status == 400 and "element 0 of 'data' is not UTF-8" in unread.json["error"]
    unknown = plain.request("POST", "/v2/repository/index", "{}")
    assert unknown.status == 404 and unknown.json["error"]


def test_compressed_bodies_are_unpacked_up_to_the_limit(plain: Server) -> None:
    rows = json.dumps(list(range(5000)))
    for coding in ("gzip", "deflate"):
        inputs, content = given(rows)
        assert outputs(infer(plain, inputs, content, coding))["output"][1] == [5000]
        packed = {"gzip": gzip.compress, "deflate": zlib.compress}[coding]
        headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
        assert plain.request("POST", "/score", packed(rows.encode()), headers).json == list(range(5000))
        inputs, content = given(json.dumps("x" * 100_000))
        scored = plain.request("POST", "/score", packed(content), headers)
        for answer in (scored, infer(plain, inputs, content, coding)):
            assert answer.status == 413 and b"100000 bytes when it is unpacked" in answer.body
        for wrong in (b"[1]", packed(b"[1]")[:-3], packed(b"[1]") + b"more"):
            answer = plain.request("POST", "/score", wrong, headers)
            assert (answer.status, answer.json["code"]) == (400, "body_not_unpacked"), wrong
    several = gzip.compress(b"[1,") + gzip.compress(b"") + gzip.compress(b" 2]")
    headers = {"Content-Encoding": "gzip"}
    assert plain.request("POST", "/score", several, headers).json == [1, 2]
    assert plain.request("POST", "/score", several[:-3], headers).json["code"] == "body_not_unpacked"
    assert plain.request("POST", "/score", gzip.compress(b" " * 60_000) * 2, headers).status == 413
    bare = zlib.compressobj(wbits=-15)
    sent = bare.compress(b"[1]") + bare.flush()
    assert plain.request("POST", "/score", sent, {"Content-Encoding": "deflate"}).json == [1]
    assert plain.request("POST", "/score", b"[1]", {"Content-Encoding": "identity"}).json == [1]
    for path in ("/score", PATH):
        refused = plain.request("POST", path, b"[1]", {"Content-Encoding": "br"})
        assert refused.status == 415 and refused.json["code"] == "content_encoding_unsupported"
        assert "'br'" in refused.body.decode() and "gzip, deflate" in refused.json["hint"]


def test_raw_scripts_are_given_compressed_bodies_as_they_come(bare: Server) -> None:
    body = gzip.compress(b"[1]")
    assert bare.request("POST", "/score", body, {"Content-Encoding": "gzip"}).json == {
        "size": len(body),
        "coding": "gzip",
    }
    content = struct.pack("<2f", 1, 2)
    answer = infer(bare, [tensor("x", "FP32", [1, 2], 8)], content, "gzip")
    assert outputs(answer)["x"][2] == ["1.0", "2.0"]


def test_large_tensors_go_through_shared_memory(serve) -> None:
    server = serve(TENSORS, "--service-name", "svc")
    content = struct.pack("<100000f", *range(100_000))
    found = outputs(
        infer(server, [tensor("x", "FP32", [100_000], 400_000)], content, parameters={"binary_data_output": True})
    )
    assert found["x"][2] == strings(*(str(float(value)).encode() for value in range(100_000)))


def test_requests_with_bytes_join_those_to_score(serve) -> None:
    import threading

    server = serve(
        """
        import json, time
        def init(): pass
        def run(data):
            rows = json.loads(data)["data"]
            print("rows", len(rows))
            time.sleep(0.05)
            return [sum(row) for row in rows]
        """,
        *("--service-name", "svc", "--max-batch-rows", "64", "--max-wait-ms", "300"),
    )
    found: dict[int, Any] = {}

    def ask(number: int) -> None:
        inputs, content = given(json.dumps({"data": [[number, 1]]}))
        coding = ("", "gzip")[number % 2]
        found[number] = outputs(infer(server, inputs, content, coding, parameters={"binary_data_output": True}))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: {"output": ("INT64", [1], struct.pack("<q", number + 1))} for number in range(12)}
    server.stop()
    assert 0 < server.log.count(" rows ") < 12, server.log


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.6", "3.9", "3.13"])
def test_workers_of_every_python_read_and_write_them(start, tmp_path: Path, version: str) -> None:
    script = write_script(tmp_path, TENSORS)
    server = start("--entry-script", script, "--python", environment(version), "--service-name", "svc")
    content = struct.pack("<2e", 1.5, -2)
    found = outputs(
        infer(server, [tensor("x", "FP16", [2], 4)], content, "gzip", parameters={"binary_data_output": True})
    )
    assert found["x"][2] == strings(b"1.5", b"-2.0")


ARRAYS = """
import numpy as np, pandas as pd
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
def init(): pass
@input_schema('data', NumpyParameterType(np.array([[1.0, 2.0]], dtype='float32')))
@input_schema('ids', NumpyParameterType(np.array([1], dtype='int64')))
@input_schema('names', StandardPythonParameterType(["a"]))
@input_schema('blob', StandardPythonParameterType(b"x"))
def run(data, ids=np.array([1]), names=["b"], blob=b""):
    assert data.dtype == np.float32 and data.flags.writeable and data.flags.owndata
    data += 1
    return {"sums": data.sum(axis=1), "half": data.astype("float16"), "big": ids.astype(">i4"), "ids": ids,
            "upper": [name.upper() for name in names], "blob": blob[::-1], "raw": np.array([b"ab", b"c"]),
            "flags": data[:, 0] > 2}
"""
FRAME = """
@input_schema('data', PandasParameterType(pd.DataFrame([{"n": 5.1, "m": 2.0}])))
def run(data):
    return data.assign(s=["é"] * len(data), missing=pd.array([1] + [None] * (len(data) - 1), dtype="Int64"))
"""
CLIENT = """
import sys, asyncio, numpy as np, tritonclient.http as http, tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException
url = sys.argv[1]
def tensor(name, datatype, array, binary=True):
    made = http.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=binary)
    return made
def inputs(binary=True):
    data = np.arange(4, dtype=np.float32).reshape(2, 2)
    names = np.array(["ä", "b"], dtype=object)
    blob = [tensor("blob", "BYTES", np.array([b"\\xff\\x00"], dtype=object))] if binary else []
    return [tensor("data", "FP32", data, binary), tensor("names", "BYTES", names, binary),
            tensor("ids", "INT64", np.array([5, 6]), binary)] + blob
client = http.InferenceServerClient(url)
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("svc") and client.is_model_ready("svc", "2")
assert not client.is_model_ready("svc", "3") and not client.is_model_ready("other")
assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
assert client.get_model_metadata("svc")["versions"] == ["2"]
def check(result, blob):
    assert result.get_response()["id"] == "7"
    assert result.as_numpy("sums").tolist() == [3, 7] and result.as_numpy("sums").dtype == np.float32
    assert result.as_numpy("half").tolist() == [[1, 2], [3, 4]] and result.as_numpy("half").dtype == np.float16
    assert result.as_numpy("big").tolist() == [5, 6] and result.as_numpy("big").dtype == np.int32
    assert result.as_numpy("upper").tolist() == ["Ä".encode(), b"B"]
    assert result.as_numpy("blob").tolist() == [blob] and result.as_numpy("raw").tolist() == [b"ab", b"c"]
    assert result.as_numpy("flags").tolist() == [False, True]
for request in (None, "gzip", "deflate"):
    for response in (None, "gzip", "deflate"):
        packing = {"request_compression_algorithm": request, "response_compression_algorithm": response}
        check(client.infer("svc", inputs(), request_id="7", **packing), b"\\x00\\xff")
        check(client.async_infer("svc", inputs(False), request_id="7", **packing).get_result(), b"")
        wanted = [http.InferRequestedOutput("sums", binary_data=False), http.InferRequestedOutput("flags")]
        chosen = client.infer("svc", inputs(), outputs=wanted, **packing)
        assert [("data" in one) for one in chosen.get_response()["outputs"]] == [True, False]
        assert chosen.as_numpy("sums").tolist() == [3, 7] and chosen.as_numpy("flags").tolist() == [False, True]
for datatype, kind in (("FP16", "float16"), ("FP64", "float64"), ("INT8", "int8"), ("UINT64", "uint64"), ("BOOL", "?")):
    result = client.infer("svc", [tensor("data", datatype, np.array([[1, 0]]).astype(kind))])
    assert result.as_numpy("sums").tolist() == [3], datatype
def refused(call, status, said):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == status and said in error.message(), error
    else:
        raise AssertionError(said)
refused(lambda: client.infer("other", inputs()), "404", "There is no model 'other'")
refused(lambda: client.infer("svc", inputs()[1:]), "400", "'data'")
refused(lambda: client.infer("svc", [tensor("data", "FP32", np.zeros((2, 3), np.float32))]), "400", "'data'")
refused(lambda: client.get_model_config("svc"), "404", "not found")
async def other():
    async with aio.InferenceServerClient(url) as client:
        assert await client.is_server_ready() and await client.is_model_ready("svc")
        for request in (None, "gzip", "deflate"):
            result = await client.infer("svc", inputs(), request_id="7", request_compression_algorithm=request)
            check(result, b"\\x00\\xff")
asyncio.run(other())
print("good")
"""


@pytest.fixture
def schema(start, tmp_path: Path):
    def serving(text: str, *more: Any) -> Server:
        script = write_script(tmp_path, "")
        script.write_text(text)
        python = environment("3.13", "inference-schema[numpy-support]", "pandas")
        return start("--entry-script", script, "--python", python, "--service-name", "svc", *more)

    return serving


@pytest.mark.slow
def test_tritons_client_is_served(schema, tmp_path: Path) -> None:
    import subprocess

    server = schema(ARRAYS, "--service-version", "2")
    client = tmp_path / "client.py"
    client.write_text(CLIENT)
    command = [str(environment("3.12", "tritonclient[http]")), str(client), f"127.0.0.1:{server.port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == "good\n", done.stderr + server.log


@pytest.mark.slow
def test_an_array_is_given_what_fits_it_and_refuses_the_rest(schema) -> None:
    server = schema(ARRAYS)
    for inputs, content in (
        ([tensor("ids", "BYTES", [0], 0)], b""),
        ([tensor("data", "BYTES", [0, 2], 0)], b""),
        ([tensor("data", "FP32", [4], 16)], bytes(16)),
        ([tensor("data", "FP32", [2, 0], 0)], b""),
        ([tensor("data", "BYTES", [1, 2], 10)], strings(b"a", b"\xff")),
        (
            [tensor("data", "FP32", [1, 2], 8), tensor("ids", "FP32", [1], 4)],
            bytes(8) + struct.pack("<f", float("nan")),
        ),
    ):
        answer = infer(server, inputs, content)
        assert answer.status == 400 and answer.json["error"], (inputs, answer.body)
    none = infer(server, [tensor("data", "FP32", [0, 2], 0)], b"", parameters={"binary_data_output": True})
    assert outputs(none)["sums"] == ("FP32", [0], b"") and outputs(none)["half"] == ("FP16", [0, 2], b"")
    whole = [tensor("data", "INT64", [1, 2], 16), tensor("ids", "FP64", [1], 8)]
    found = outputs(infer(server, whole, struct.pack("<2qd", 1, 2, 7.5)))
    assert found["sums"] == ("FP32", [1], [5.0]) and found["ids"] == ("INT64", [1], [7])


@pytest.mark.slow
def test_a_frame_is_one_tensor_of_rows_or_one_for_each_column(schema) -> None:
    server = schema(ARRAYS.partition("@input_schema")[0] + FRAME)
    rows, columns = struct.pack("<4d", 1, 2, 3, float("nan")), struct.pack("<4d", 1, 3, 2, float("nan"))
    one = infer(server, [tensor("input-0", "FP64", [2, 2], 32)], rows, parameters={"binary_data_output": True})
    inputs = [tensor("n", "FP64", [2, 1], 16), tensor("m", "FP64", [2], 16)]
    for answer in (one, infer(server, inputs, columns, parameters={"binary_data_output": True})):
        found = outputs(answer)
        assert found["n"] == ("FP64", [2], columns[:16]) and found["m"] == ("FP64", [2], columns[16:])
        assert found["s"] == ("BYTES", [2], strings("é".encode(), "é".encode()))
        assert found["missing"] == ("BYTES", [1], strings(b"[1, null]"))
    wide = infer(server, [tensor("input-0", "FP64", [1, 3], 24)], rows[:24])
    assert wide.status == 400 and "the inputs are n, m" in wide.json["error"]


@pytest.mark.slow
def test_what_mlservers_client_sends_is_read(schema) -> None:
    """It writes lists as columns, NaN as null and bytes as base64 (mlserver/codecs)."""
    server = schema(ARRAYS)
    inputs = []
    for name, shape, datatype, content_type, data in (
        ("data", [1, 2], "FP32", "np", [1, None]),
        ("ids", [2, 1], "INT64", "np", [1, 2]),
        ("names", [2, 1], "BYTES", "str", ["a", "b"]),
        ("blob", [1, 1], "BYTES", "base64", ["/wA="]),
    ):
        one = {"name": name, "shape": shape, "datatype": datatype, "data": data}
        inputs.append({**one, "parameters": {"content_type": content_type}})
    answer = server.request("POST", PATH, json.dumps({"inputs": inputs}))
    assert answer.status == 200, answer.body
    by_name = {one["name"]: one for one in answer.json["outputs"]}
    assert str(by_name["sums"]["data"]) == "[nan]" and by_name["ids"]["data"] == [1, 2]
    assert by_name["upper"]["data"] == ["A", "B"]
    assert (by_name["blob"]["data"], by_name["blob"]["parameters"]) == (["AP8="], {"content_type": "base64"})
