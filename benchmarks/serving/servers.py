"""The servers that are compared: ours and its peers, each serving the same scikit-learn model."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
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

FASTAPI = """
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
"""

BENTOML = """
import os, bentoml, joblib, numpy as np

@bentoml.service(workers=int(os.environ["BENCHMARK_WORKERS"]))
class Ridge:
    def __init__(self):
        self.model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.pkl"))

    @bentoml.api(route="/score")
    def score(self, data: list[list[float]]) -> list[float]:
        return self.model.predict(np.array(data)).tolist()
"""

MLSERVER = """
{"name": "ridge", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "../models/model.pkl"}}
"""

PACKAGES = ["scikit-learn", "joblib", "numpy"]
PEERS = {
    "azureml": ["azureml-inference-server-http", "inference-schema[numpy-support]"],
    "fastapi": ["fastapi", "uvicorn[standard]"],
    "bentoml": ["bentoml"],
    # Its worker process does not start with uvloop 0.22 (spec/performance.md).
    "mlserver": ["mlserver", "mlserver-sklearn", "uvloop<0.22"],
}
SCORE_PATHS = {"mlserver": "/v2/models/ridge/infer"}
_PROBES = {"mlserver": "/v2/models/ridge/ready", "bentoml": "/readyz"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def environment(folder: Path, name: str) -> str:
    """Make a throw-away environment for a peer; it is no dependency of ours."""
    python = folder / name / "bin" / "python"
    if not (folder / name / "complete").exists():
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if uv is None:
            raise SystemExit("benchmarks need uv")
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, str(folder / name)], check=True)
        packages = PACKAGES + PEERS.get(name, ["inference-schema[numpy-support]"])
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *packages], check=True)
        (folder / name / "complete").touch()
    return str(python)


@dataclass
class Running:
    """A started server."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    started: float
    ready_seconds: float = 0.0
    pids: list[int] = field(default_factory=list)

    def wait(self, seconds: float = 120.0) -> Running:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with {self.process.returncode}")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", _PROBES.get(self.name, "/"))
                if connection.getresponse().status < 400:
                    self.ready_seconds = time.monotonic() - self.started
                    return self
            except OSError:
                pass
            time.sleep(0.02)
        self.stop()
        raise SystemExit(f"{self.name} did not start")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(
    name: str, script: Path, models: Path, cache: Path, cores: str, workers: int = 1, options: tuple[str, ...] = ()
) -> Running:
    """Start "sendoff", "azureml", "fastapi", "bentoml" or "mlserver" on given cores.

    Args:
        name: which server.
        script: entry script, FastAPI or BentoML module, or MLServer's model settings.
        models: AZUREML_MODEL_DIR.
        cache: folder of the throw-away environments.
        cores: list for ``taskset``; front and workers together.
        workers: worker processes.
        options: further options of ours.
    """
    port = free_port()
    variables = {**os.environ, "AZUREML_MODEL_DIR": str(models), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    pin = ["taskset", "-c", cores]
    if name == "sendoff":
        python = environment(cache, "user")
        command = [sys.executable, "-m", "sendoff_serving", "--entry-script", str(script), "--model-dir", str(models)]
        command += ["--python", python, "--port", str(port), "--workers", str(workers), *options]
    elif name == "azureml":
        command = [environment(cache, name), "-m", "azureml_inference_server_http", "--entry_script", str(script)]
        command += ["--model_dir", str(models), "--port", str(port), "--worker_count", str(workers)]
    elif name == "bentoml":
        variables.update(BENTOML_DO_NOT_TRACK="True", BENCHMARK_WORKERS=str(workers))
        command = [environment(cache, name), "-m", "bentoml", "serve", f"{script.stem}:Ridge", "--port", str(port)]
        command += ["--host", "127.0.0.1"]
    elif name == "mlserver":
        variables.update(MLSERVER_HOST="127.0.0.1", MLSERVER_HTTP_PORT=str(port), MLSERVER_GRPC_PORT=str(free_port()))
        variables.update(MLSERVER_METRICS_PORT=str(free_port()), MLSERVER_PARALLEL_WORKERS=str(workers))
        command = [str(Path(environment(cache, name)).with_name("mlserver")), "start", str(script.parent)]
    else:
        command = [environment(cache, name), "-m", "uvicorn", f"{script.stem}:app", "--port", str(port)]
        command += ["--workers", str(workers), "--no-access-log", "--app-dir", str(script.parent)]
    process = subprocess.Popen(
        pin + command, env=variables, cwd=script.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return Running(name, process, port, time.monotonic())
