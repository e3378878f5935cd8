"""Raw scripts that say what they take: schema, tensors, further paths, errors of their own (worker/described.py)."""

from __future__ import annotations

import json

SCRIPT = """
from azureml.contrib.services.aml_request import rawhttp
from sendoff_serving.worker.invoke import Refusal

def init():
    global factor
    factor = 2

@rawhttp
def run(request):
    if request.path != "/score":
        return {"path": request.path, "method": request.method}
    body = request.get_json()
    if "x" not in body:
        raise Refusal(400, "input_invalid", "x is missing", hint="send x", details={"missing": ["x"]})
    return [value * factor for value in body["x"]]

def describe_service():
    numbers = {"type": "array", "items": {"type": "number"}}
    body = {"type": "object", "properties": {"x": numbers}, "required": ["x"], "example": {"x": [factor], "more": 1}}
    path = {"get": {"operationId": "Mine", "responses": {"200": {"description": "It"}}}}
    tensor = {"name": "x", "datatype": "FP64", "shape": [-1]}
    return {"input": body, "output": numbers, "required": True, "routes": ["/v1/models/"], "models": {"doubler": ["3"]},
            "paths": {"/v1/models/doubler": path}, "tensors": {"inputs": [tensor], "outputs": [tensor]}}

def infer_tensors(inputs):
    return {"x": [value * factor for value in inputs["x"]["data"]]}
"""


def test_a_script_that_describes_itself_is_known_by_its_own_words(serve) -> None:
    server = serve(SCRIPT)
    assert server.score({"x": [1, 2]}).json == [2, 4]
    refused = server.score({})
    assert (refused.status, refused.json["code"], refused.json["hint"]) == (400, "input_invalid", "send x")
    assert refused.json["details"] == {"missing": ["x"]}
    assert server.get("/v1/models/doubler").json == {"path": "/v1/models/doubler", "method": "GET"}
    assert server.get("/v1/other").status == 404
    document = server.get("/swagger.json?version=3").json
    assert document["components"]["schemas"]["ServiceInput"]["example"] == {"x": [2], "more": 1}
    assert document["paths"]["/score"]["post"]["requestBody"]["required"] is True
    assert document["paths"]["/v1/models/doubler"]["get"]["operationId"] == "Mine"
    assert server.get("/v2/models/doubler").json["versions"] == ["3"]
    tensor = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1.5, 2]}
    body = json.dumps({"inputs": [tensor]}).encode()
    answer = server.request("POST", "/v2/models/doubler/infer", body)
    assert answer.json["outputs"][0]["data"] == [3.0, 4]
    wrong = json.dumps({"inputs": [{**tensor, "shape": [3]}]}).encode()
    assert server.request("POST", "/v2/models/doubler/infer", wrong).status == 400


def test_a_description_that_cannot_be_used_is_said_and_left_out(serve) -> None:
    server = serve(SCRIPT.replace('return {"input": body', 'return [body]\n    return {"input": body'))
    assert server.score({"x": [1]}).json == [2]
    assert server.get("/v1/models/doubler").status == 404
    server.stop()
    assert "What describe_service() returned is not used" in server.log
