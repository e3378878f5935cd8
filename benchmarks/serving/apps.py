"""What each server is given to serve: the same four services, written as that server's users write them.

ridge: a scikit-learn model on rows of ten numbers. sleep: run() that sleeps for the number it is sent.
big: a model of 500 MB. raw: sends the body back.
"""

from __future__ import annotations

from pathlib import Path

PLAIN = """
import json, os, joblib, numpy as np

def init():
    global model
    model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.pkl"))

def run(raw_data):
    data = np.array(json.loads(raw_data)["data"])
    return model.predict(data).tolist()
"""

SCHEMA = """
import os, joblib, numpy as np
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType

def init():
    global model
    model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.pkl"))

@input_schema("data", NumpyParameterType(np.array([[0.5] * 10])))
@output_schema(NumpyParameterType(np.array([3726.995])))
def run(data):
    return model.predict(data).tolist()
"""

RAW = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

def init(): pass

@rawhttp
def run(request):
    return AMLResponse(request.get_data(False), 200)
"""

SLEEP = """
import json, time

def init(): pass

def run(raw_data):
    time.sleep(json.loads(raw_data)["seconds"])
    return 1
"""

BIG = """
def init():
    global block
    block = bytearray(b"x") * 500_000_000

def run(raw_data):
    return len(block)
"""

_FASTAPI = {
    "ridge": """
import os, joblib, numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

class Input(BaseModel):
    data: list[list[float]]

app = FastAPI()
model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.pkl"))

@app.get("/")
def health(): return "Healthy"

@app.post("/score")
def score(body: Input): return model.predict(np.array(body.data)).tolist()
""",
    "sleep": """
import time
from fastapi import FastAPI
from pydantic import BaseModel

class Input(BaseModel):
    seconds: float

app = FastAPI()

@app.get("/")
def health(): return "Healthy"

@app.post("/score")
def score(body: Input):
    time.sleep(body.seconds)
    return 1
""",
    "big": """
from fastapi import FastAPI

app = FastAPI()
block = bytearray(b"x") * 500_000_000

@app.get("/")
def health(): return "Healthy"

@app.post("/score")
def score(): return len(block)
""",
    "raw": """
from fastapi import FastAPI, Request, Response

app = FastAPI()

@app.get("/")
def health(): return "Healthy"

@app.post("/score")
async def score(request: Request): return Response(await request.body())
""",
}

_BENTOML_HEAD = """
import os, time, bentoml, joblib, numpy as np

@bentoml.service(workers=int(os.environ["BENCHMARK_WORKERS"]))
class Benchmark:
"""
_BENTOML = {
    "ridge": _BENTOML_HEAD
    + """
    def __init__(self):
        self.model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.pkl"))

    @bentoml.api(route="/score")
    def score(self, data: list[list[float]]) -> list[float]:
        return self.model.predict(np.array(data)).tolist()
""",
    "batching": _BENTOML_HEAD
    + """
    def __init__(self):
        self.model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.pkl"))

    @bentoml.api(route="/score", batchable=True, max_batch_size=64)
    def score(self, data: np.ndarray) -> np.ndarray:
        return self.model.predict(data)
""",
    "sleep": _BENTOML_HEAD
    + """
    @bentoml.api(route="/score")
    def score(self, seconds: float) -> int:
        time.sleep(seconds)
        return 1
""",
    "big": _BENTOML_HEAD
    + """
    def __init__(self):
        self.block = bytearray(b"x") * 500_000_000

    @bentoml.api(route="/score")
    def score(self) -> int:
        return len(self.block)
""",
}

_MLSERVER_RUNTIME = """
import time
import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

class Runtime(MLModel):
    async def load(self):
        {load}
        return True

    async def predict(self, payload):
        {predict}
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("output", np.array([1]))])
"""
_MLSERVER = {
    "ridge": '{"name": "benchmark", "implementation": "mlserver_sklearn.SKLearnModel", '
    '"parameters": {"uri": "../../models/model.pkl"}}',
    "batching": '{"name": "benchmark", "implementation": "mlserver_sklearn.SKLearnModel", '
    '"max_batch_size": 64, "max_batch_time": 0.001, "parameters": {"uri": "../../models/model.pkl"}}',
    "sleep": _MLSERVER_RUNTIME.format(load="pass", predict="time.sleep(float(payload.inputs[0].data[0]))"),
    "big": _MLSERVER_RUNTIME.format(load='self.block = bytearray(b"x") * 500_000_000', predict="pass"),
}
_RUNTIME_SETTINGS = '{"name": "benchmark", "implementation": "runtime.Runtime"}'

_SCRIPTS = {"ridge": PLAIN, "batching": PLAIN, "schema": SCHEMA, "raw": RAW, "sleep": SLEEP, "big": BIG}


def kinds(server: str) -> frozenset[str]:
    """Return what a server can serve; a typed application is its counterpart of a script with a schema."""
    found = {"fastapi": _FASTAPI, "bentoml": _BENTOML, "mlserver": _MLSERVER}.get(server, _SCRIPTS)
    typed = {"schema"} if found is not _SCRIPTS else set()
    return frozenset({*found, *typed})


def write(folder: Path, server: str, kind: str) -> Path:
    """Write a service for a server and return its file.

    Args:
        folder: the benchmarks' cache folder.
        server: "sendoff", "azureml", "fastapi", "bentoml" or "mlserver".
        kind: one of ``kinds(server)``.
    """
    place = folder / f"{server}_{kind}" / "app"
    place.mkdir(parents=True, exist_ok=True)
    if server == "mlserver":
        text = _MLSERVER["ridge" if kind == "schema" else kind]
        if not text.startswith("{"):
            (place / "runtime.py").write_text(text)
            text = _RUNTIME_SETTINGS
        (place / "model-settings.json").write_text(text)
        return place / "model-settings.json"
    if server in ("fastapi", "bentoml"):
        typed = _FASTAPI if server == "fastapi" else _BENTOML
        (place / "app.py").write_text(typed["ridge" if kind == "schema" else kind])
        return place / "app.py"
    (place / "score.py").write_text(_SCRIPTS[kind])
    return place / "score.py"
