"""ONNX without code: real graphs in ONNX Runtime, asked in its server's form, with plain lists and in binary."""

from __future__ import annotations

import base64
import json
import struct

import pytest

from sendoff import Model
from sendoff.sdk.exceptions import WebserviceException

from . import rig

pytestmark = pytest.mark.slow

MAKER = rig.conda(rig.OURS, "onnx")

# The article's MNIST graph in little: one image in, ten numbers out, with that model's names.
IMAGE = """
import json, sys, numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
rng = np.random.default_rng(0)
weights = rng.normal(size=(16, 10)).astype("float32")
graph = helper.make_graph(
    [helper.make_node("Flatten", ["Input3"], ["flat"]),
     helper.make_node("MatMul", ["flat", "weights"], ["Plus214_Output_0"]),
     helper.make_node("ArgMax", ["Plus214_Output_0"], ["label"], axis=1, keepdims=0)],
    "mnist", [helper.make_tensor_value_info("Input3", TensorProto.FLOAT, [1, 1, 4, 4])],
    [helper.make_tensor_value_info("Plus214_Output_0", TensorProto.FLOAT, [1, 10]),
     helper.make_tensor_value_info("label", TensorProto.INT64, [1])],
    [numpy_helper.from_array(weights, "weights")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])
image = rng.random((1, 1, 4, 4)).astype("float32")
print(json.dumps({"image": image.tolist(), "scores": (image.reshape(1, 16) @ weights).tolist()}))
"""
# Two inputs of a batch, of other kinds than floats, and an output that is text.
MIXED = """
import json, sys, onnx
from onnx import TensorProto, helper
def info(name, kind, size):
    return helper.make_tensor_value_info(name, kind, [size])
whole, text = TensorProto.INT64, TensorProto.STRING
graph = helper.make_graph(
    [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Identity", ["words"], ["same"])],
    "mixed", [info("a", whole, "n"), info("b", whole, "n"), info("words", text, "m")],
    [info("sum", whole, "n"), info("same", text, "m")])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), sys.argv[1])
print("{}")
"""


def proto(number: int, content: bytes) -> bytes:
    assert len(content) < 1 << 14
    size = bytes([len(content)]) if len(content) < 128 else bytes([len(content) & 127 | 128, len(content) >> 7])
    return bytes([number << 3 | 2]) + size + content


def test_a_graph_answers_in_the_form_it_is_asked(ws, work, deploy) -> None:
    facts = rig.train(MAKER, IMAGE, "mnist-model.onnx", cwd=work)
    model = Model.register(
        workspace=ws,
        model_name="mnist-sample",
        model_path="mnist-model.onnx",
        model_framework=Model.Framework.ONNX,
        model_framework_version="1.3",
        description="Onnx MNIST model",
    )
    assert ws._client.model("demo", "mnist-sample:1").detected["onnx-opset"] == "13"
    asked = deploy(model, name="onnx-mnist-service")
    scores = pytest.approx(facts["scores"][0], rel=1e-5)
    floats = [value for row in facts["image"][0][0] for value in row]
    raw = struct.pack("<16f", *floats)
    tensor = {"dims": ["1", "1", "4", "4"], "dataType": 1, "rawData": base64.b64encode(raw).decode()}

    # The payload of the samples of 2020 (spec/usage-frequency.md).
    answer = asked.post({"inputs": {"Input3": tensor}, "outputFilter": ["Plus214_Output_0"]})
    ((name, made),) = answer["outputs"].items()
    assert (name, made["dims"], made["dataType"]) == ("Plus214_Output_0", ["1", "10"], 1)
    assert list(struct.unpack("<10f", base64.b64decode(made["rawData"]))) == scores
    everything = asked.post({"inputs": {"Input3": tensor}})["outputs"]
    assert set(everything) == {"Plus214_Output_0", "label"}
    typed = {"dims": ["1", "1", "4", "4"], "dataType": 1, "floatData": floats}
    answer = asked.post({"inputs": {"Input3": typed}}, "/v1/models/default/versions/1:predict")["outputs"]
    assert answer["Plus214_Output_0"]["floatData"] == scores
    assert answer["label"]["int64Data"] == [str(facts["scores"][0].index(max(facts["scores"][0])))]

    # Plain lists, with and without the name and the batch's dimension.
    assert asked.post({"data": facts["image"]})["Plus214_Output_0"] == [scores]
    assert asked.post({"inputs": {"Input3": facts["image"]}})["outputs"]["Plus214_Output_0"] == [scores]

    # The server's protobuf, in and out; JSON where Accept says so.
    message = proto(2, proto(1, b"Input3") + proto(2, bytes([10, 4, 1, 1, 4, 4, 16, 1]) + proto(9, raw)))
    message += proto(3, b"Plus214_Output_0")
    status, content, headers = asked.raw("/score", message, Content_Type="application/x-protobuf")
    assert (status, headers["Content-Type"]) == (200, "application/x-protobuf")
    assert b"Plus214_Output_0" in content
    assert list(struct.unpack("<10f", content[-40:])) == scores
    status, content, _ = asked.raw(
        "/score", message, Content_Type="application/octet-stream", Accept="application/json"
    )
    assert "rawData" in json.loads(content)["outputs"]["Plus214_Output_0"]

    v2 = {"name": "Input3", "shape": [1, 1, 4, 4], "datatype": "FP32", "data": floats}
    wanted = {"inputs": [v2], "outputs": [{"name": "Plus214_Output_0"}]}
    (output,) = asked.post(wanted, "/v2/models/mnist-sample/infer")["outputs"]
    assert (output["shape"], output["data"]) == ([1, 10], scores)

    # Mistakes of the caller.
    for body, words in (
        ({"inputs": {"Other": tensor}}, "There is no input Other"),
        ({"inputs": {"Input3": {**tensor, "dims": ["2"]}}}, "cannot be read"),
        ({"inputs": {"Input3": {**tensor, "rawData": "%"}}}, "cannot be read"),
        ({"inputs": {"Input3": {**tensor, "dataType": 99}}}, "dataType"),
        ({"inputs": {"Input3": tensor}, "outputFilter": ["none"]}, "There is no output none"),
        ({"data": [[1, 2]]}, "refuses the input"),
        ({"data": "a"}, "cannot be made into float32"),
        ({}, "'data' is missing"),
    ):
        refused = asked.post(body)
        assert (refused["http"], refused["code"]) == (400, "input_invalid"), body
        assert words in refused["message"]
    assert asked.raw("/score", b"\x12\x7f\x00", Content_Type="application/octet-stream")[0] == 400
    assert asked.raw("/v1/models/x")[0] == 404
    assert asked.raw("/v1/models/x/versions/1:predict")[0] == 405
    rig.fuzzed(asked, work)


def test_whole_numbers_texts_and_several_inputs(ws, work, deploy) -> None:
    rig.train(MAKER, MIXED, "mixed.onnx", cwd=work)
    asked = deploy(Model.register(ws, "mixed.onnx", "mixed", model_framework="onnx"))
    large = 2**53 + 1
    body = {"inputs": {"a": [1, large], "b": [2, 0], "words": ["x", "ä"]}}
    assert asked.post(body)["outputs"] == {"sum": [3, large], "same": ["x", "ä"]}
    text = base64.b64encode("ä".encode()).decode()
    served = {
        "a": {"dims": ["1"], "dataType": 7, "int64Data": [str(large)]},
        "b": {"dims": ["1"], "dataType": "INT64", "rawData": base64.b64encode(struct.pack("<q", 1)).decode()},
        "words": {"dims": ["1"], "dataType": 8, "stringData": [text]},
    }
    answer = asked.post({"inputs": served})["outputs"]
    assert struct.unpack("<q", base64.b64decode(answer["sum"]["rawData"])) == (large + 1,)
    assert answer["same"]["stringData"] == [text]
    assert "name them" in asked.post({"data": [1]})["message"]
    assert "input words is missing" in asked.post({"inputs": {"a": [1], "b": [1]}})["message"]
    document = asked.get("/swagger.json?version=3")
    inputs = document["components"]["schemas"]["ServiceInput"]["properties"]["inputs"]
    assert inputs["properties"]["words"]["items"] == {"type": "string"}
    assert inputs["required"] == ["a", "b", "words"]


def test_a_file_that_is_no_graph_fails_with_what_the_runtime_says(ws, work) -> None:
    (work / "bad.onnx").write_bytes(b"no graph at all")
    model = Model.register(ws, "bad.onnx", "bad", model_framework="Onnx")
    with pytest.raises(WebserviceException, match="an ONNX graph was expected"):
        Model.deploy(ws, "bad-graph", [model])
    (work / "bad.onnx").write_bytes(b"\x08\x07\x3a\x03bad")  # has the outline of a graph, and nothing in it
    model = Model.register(ws, "bad.onnx", "bad", model_framework="Onnx")
    service = Model.deploy(ws, "bad-graph", [model])
    with pytest.raises(WebserviceException, match=r"INVALID_PROTOBUF|Protobuf"):
        service.wait_for_deployment()
