"""Spark samples of inference_schema: frames in, frames out, with the user's own pyspark and a real Java."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from .interpreters import environment
from .running import eventually

SCRIPT = """
    import os
    from pyspark.sql import SparkSession
    from inference_schema.schema_decorators import input_schema, output_schema
    from inference_schema.parameter_types.spark_parameter_type import SparkParameterType
    from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType

    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    sample = spark.createDataFrame([("a", 1, 1.5, [1], {"k": 0.5})], ["name", "number", "value", "list", "map"])

    def init():
        pass

    @input_schema("data", SparkParameterType(sample))
    @input_schema("how", StandardPythonParameterType("rows"))
    @output_schema(SparkParameterType(spark.createDataFrame([("a", 2.5)], ["name", "score"])))
    def run(data, how="rows"):
        if how == "whole":
            return {"frame": data}
        if how == "java":
            return int(spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid())
        if how == "raise":
            return data.select("nothing").collect()
        scored = data.selectExpr("name", "number + value as score")
        return scored if how == "rows" else scored.toPandas()
"""
ROW = {"name": "b", "number": 2, "value": 0.5, "list": [3, 4], "map": {"m": 1.0}}


def test_frames_of_spark_are_converted_encoded_described_and_end_with_their_worker(serve, monkeypatch) -> None:
    # Java's second compiler costs more than it saves in a minute's life.
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    if shutil.which("java") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no Java on this machine")
    python = environment("3.11", "inference-schema[pyspark-support]", "pandas<3")
    server = serve(SCRIPT, "--python", python, "--scoring-timeout-ms", 240_000, within=300)
    scored = [{"name": "b", "score": 2.5}]
    assert server.score({"data": [ROW]}, 300).json == scored
    assert server.score({"data": [ROW, ROW], "how": "pandas"}, 300).json == scored * 2
    assert server.score({"data": [ROW], "how": "whole"}, 300).json == {"frame": [ROW]}
    assert server.score({"data": []}, 300).json == []

    for value, got, said in (
        ([{"name": "b"}], "list", "'number' is missing"),
        (5, "int", "to Spark DataFrame"),
        ([{**ROW, "number": "x"}], "list", "can not accept object"),
    ):
        answer = server.score({"data": value}, 300)
        assert (answer.status, answer.json["code"]) == (400, "value_not_convertible")
        assert said in answer.json["message"]
        expected = "spark frame with columns name, number, value, list, map"
        assert answer.json["details"] == {"path": "data", "expected": expected, "got": got}
    own = server.score({"data": [ROW], "how": "raise"}, 300)
    assert (own.status, own.json["code"]) == (500, "run_failed")

    schemas = server.get("/swagger.json?version=3.1").json["components"]["schemas"]
    members = schemas["ServiceInput"]["properties"]["data"]["items"]["properties"]
    assert {name: member["type"] for name, member in members.items()} == {
        "name": "string",
        "number": "integer",
        "value": "number",
        "list": "array",
        "map": "object",
    }
    assert schemas["ServiceOutput"]["example"] == [{"name": "a", "score": 2.5}]

    tensor = {"name": "data", "shape": [1], "datatype": "BYTES", "data": [json.dumps([ROW])]}
    inferred = server.request("POST", "/v2/models/ML%20service/infer", json.dumps({"inputs": [tensor]}), timeout=300)
    assert [(one["name"], one["data"]) for one in inferred.json["outputs"]] == [("name", ["b"]), ("score", [2.5])]

    java = server.score({"data": [ROW], "how": "java"}, 300).json
    assert os.path.exists(f"/proc/{java}")
    assert server.stop() == 0
    eventually(lambda: not os.path.exists(f"/proc/{java}"), 60)
