"""TensorFlow without code: SavedModels written by TensorFlow, asked in TensorFlow Serving's REST forms."""

from __future__ import annotations

import base64

import pytest

from sendoff import Model

from . import rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TENSORFLOW = rig.conda(rig.OURS, "tensorflow-cpu==2.21.0")

# A model with every kind of signature: one and two inputs, texts, and Examples to classify and to regress.
MAKE = """
import json, sys
import tensorflow as tf

class Flowers(tf.Module):
    def __init__(self):
        self.weights = tf.Variable([[1.0, -1.0], [0.5, 2.0], [0.0, 1.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="features")])
    def predict(self, features):
        return {"scores": tf.nn.softmax(features @ self.weights)}

    @tf.function(input_signature=[
        tf.TensorSpec([None], tf.string, name="name"), tf.TensorSpec([None, 2], tf.int32, name="sizes")])
    def label(self, name, sizes):
        return {"label": tf.strings.upper(name), "raw_bytes": name, "area": tf.reduce_prod(sizes, axis=1)}

model = Flowers()
predict = model.predict.get_concrete_function()
label = model.label.get_concrete_function()
tf.saved_model.save(model, sys.argv[1], signatures={"serving_default": predict, "label": label})
rows = [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]
print(json.dumps({"rows": rows, "scores": model.predict(tf.constant(rows))["scores"].numpy().tolist()}))
"""
# As TensorFlow 1 wrote them: a graph whose signatures take serialized Examples.
HALF_PLUS = """
import json, sys
import tensorflow as tf
v1 = tf.compat.v1
with tf.Graph().as_default(), v1.Session() as session:
    serialized = v1.placeholder(tf.string, shape=[None], name="tf_example")
    parsed = tf.io.parse_example(serialized, {"x": tf.io.FixedLenFeature([1], tf.float32)})
    half = v1.get_variable("a", initializer=0.5)
    x = tf.identity(parsed["x"], name="x")
    y = tf.add(tf.multiply(x, half), 3.0)
    classes = tf.tile(tf.constant([["low", "high"]]), [tf.shape(x)[0], 1])
    scores = tf.concat([1.0 - x / 10, x / 10], axis=1)
    info = v1.saved_model.utils.build_tensor_info
    build = v1.saved_model.signature_def_utils.build_signature_def
    signatures = {
        "serving_default": build({"x": info(x)}, {"y": info(y)}, "tensorflow/serving/predict"),
        "regress_x": build({"inputs": info(serialized)}, {"outputs": info(y)}, "tensorflow/serving/regress"),
        "classify_x": build({"inputs": info(serialized)}, {"classes": info(classes), "scores": info(scores)},
                            "tensorflow/serving/classify"),
    }
    session.run(v1.global_variables_initializer())
    builder = v1.saved_model.builder.SavedModelBuilder(sys.argv[1] + "/00000123")
    builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
    builder.save()
print("{}")
"""


def test_the_articles_sample_answers_as_tensorflow_serving_does(ws, work, deploy) -> None:
    facts = rig.train(TENSORFLOW, MAKE, "flowers_model", cwd=work)
    model = Model.register(
        workspace=ws,
        model_name="flowers",
        model_path="./flowers_model",
        model_framework=Model.Framework.TENSORFLOW,
        model_framework_version="1.14.0",
        description="Flowers model",
    )
    # The file says who wrote it, and is believed.
    assert ws._client.model("demo", "flowers:1").detected["tensorflow"] == "2.21.0"
    asked = deploy(model, name="tensorflow-flower-service")
    scores = [pytest.approx(row, rel=1e-5) for row in facts["scores"]]
    rows = {"instances": facts["rows"]}
    for path in ("/score", "/score:predict", "/v1/models/flowers:predict", "/v1/models/flowers/versions/1:predict"):
        assert asked.post(rows, path) == {"predictions": scores}, path
    assert asked.post({"instances": [{"features": row} for row in facts["rows"]]}) == {"predictions": scores}
    assert asked.post({"inputs": facts["rows"]}) == {"outputs": scores}
    assert asked.post({"inputs": {"features": facts["rows"]}}) == {"outputs": scores}

    # Several inputs and outputs, texts and binary values.
    label = "/v1/models/flowers:predict"
    named = {
        "signature_name": "label",
        "instances": [
            {"name": "rose", "sizes": [2, 3]},
            {"name": {"b64": base64.b64encode(b"aster").decode()}, "sizes": [1, 1]},
        ],
    }
    first, second = asked.post(named, label)["predictions"]
    assert first == {"area": 6, "label": "ROSE", "raw_bytes": {"b64": base64.b64encode(b"rose").decode()}}
    assert second["label"] == "ASTER"
    columns = {"signature_name": "label", "inputs": {"name": ["rose"], "sizes": [[2, 3]]}}
    assert asked.post(columns, label)["outputs"]["area"] == [6]

    # Status and metadata.
    status = {"error_code": "OK", "error_message": ""}
    known = {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": status}]}
    assert asked.get("/v1/models/flowers") == asked.get("/v1/models/flowers/versions/1") == known
    metadata = asked.get("/v1/models/flowers/metadata")
    assert metadata["model_spec"]["name"] == "flowers"
    default = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    features = default["inputs"]["features"]
    assert (features["dtype"], features["tensor_shape"]["dim"][1]["size"]) == ("DT_FLOAT", "3")
    assert default["method_name"] == "tensorflow/serving/predict"

    # Errors have that server's form below its paths, ours at /score.
    refused = asked.post(rows, "/v1/models/roses:predict")
    assert (refused["http"], "Servable not found" in refused["error"]) == (404, True)
    assert asked.post(rows, "/v1/models/flowers/versions/9:predict")["http"] == 404
    assert asked.post(rows, "/v1/models/flowers:explain")["http"] == 404
    assert asked.post(rows, "/v1/models/flowers")["http"] == 405
    refused = asked.post({"instances": [[1.0]]}, label)
    assert (refused["http"], "[-1, 3]" in refused["error"]) == (400, True)
    for body in ({}, {"instances": []}, {"instances": [[1, 2, 3]], "inputs": 1}, {"instances": [["a", 1, 2]]}, 3, [[]]):
        refused = asked.post(body)
        assert (refused["http"], "message" in refused) == (400, True), body
    assert "label" in asked.post({**rows, "signature_name": "none"})["hint"]
    assert asked.post({"examples": [{"x": 1.0}]}, "/v1/models/flowers:classify")["http"] == 400

    tensor = {"name": "features", "shape": [2, 3], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 0.0, 0.0, 0.0]}
    (output,) = asked.post({"inputs": [tensor]}, "/v2/models/flowers/infer")["outputs"]
    assert (output["name"], output["shape"]) == ("scores", [2, 2])
    schema = asked.get("/swagger.json")["definitions"]["ServiceInput"]["properties"]
    assert schema["instances"]["items"]["maxItems"] == 3
    assert schema["signature_name"]["enum"] == ["label", "serving_default"]
    rig.fuzzed(asked, work)


def test_examples_are_classified_and_regressed(ws, work, deploy) -> None:
    rig.train(TENSORFLOW, HALF_PLUS, "half_plus_three", cwd=work)
    model = Model.register(ws, "half_plus_three", "half_plus_three", model_framework="TensorFlow")
    asked = deploy(model)
    base = "/v1/models/half_plus_three"
    examples = [{"x": 1.0}, {"x": 2.0}]
    assert asked.post({"instances": [[1.0], [2.0], [5.0]]}) == {"predictions": [[3.5], [4.0], [5.5]]}
    body = {"signature_name": "regress_x", "examples": examples}
    assert asked.post(body, f"{base}:regress") == {"results": [3.5, 4.0]}
    assert asked.post(body, "/score:regress") == asked.post(body) == {"results": [3.5, 4.0]}
    assert asked.post({**body, "examples": [{}], "context": {"x": 2.0}}, f"{base}:regress") == {"results": [4.0]}
    labelled = asked.post({"signature_name": "classify_x", "examples": examples}, f"{base}:classify")["results"]
    assert labelled[0] == [["low", pytest.approx(0.9)], ["high", pytest.approx(0.1)]]
    refused = asked.post(body, f"{base}:classify")
    assert (refused["http"], "classify_x" in refused["hint"]) == (400, True)
    assert asked.post({"signature_name": "regress_x", "examples": [{"y": 1.0}]}, f"{base}:regress")["http"] == 400
    assert asked.post({**body, "context": {"x": 1}}, f"{base}:regress")["http"] == 400
