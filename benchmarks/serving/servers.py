"""The servers that are compared: ours and its peers, started on given cores and ended whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

NAMES = ("azureml", "fastapi", "bentoml", "mlserver")

PACKAGES = ["scikit-learn", "joblib", "numpy"]
PEERS = {
    "azureml": ["azureml-inference-server-http", "inference-schema[numpy-support]"],
    "fastapi": ["fastapi", "uvicorn[standard]"],
    "bentoml": ["bentoml"],
    # Its worker process does not start with uvloop 0.22 (spec/performance.md).
    "mlserver": ["mlserver", "mlserver-sklearn", "uvloop<0.22"],
}
SCORE_PATHS = {"mlserver": "/v2/models/benchmark/infer"}
READY_PATHS = {"mlserver": "/v2/models/benchmark/ready", "bentoml": "/readyz"}
LIVE_PATHS = {"sendoff": "/health/live", "mlserver": "/v2/health/live", "bentoml": "/livez"}

_running: list[Running] = []


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
        print(f"installing {name} into {folder / name} …", file=sys.stderr)
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, str(folder / name)], check=True)
        packages = PACKAGES + PEERS.get(name, ["inference-schema[numpy-support]"])
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *packages], check=True)
        (folder / name / "complete").touch()
    return str(python)


def tree(pid: int) -> Iterator[int]:
    """Yield the process ids of a server and all its descendants; those that end meanwhile are left out."""
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                for child in (task / "children").read_text().split():
                    yield from tree(int(child))


@dataclass
class Running:
    """A started server."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    started: float
    log: Path
    ready_seconds: float = 0.0

    @property
    def score_path(self) -> str:
        return SCORE_PATHS.get(self.name, "/score")

    @property
    def live_path(self) -> str:
        return LIVE_PATHS.get(self.name, "/")

    def wait(self, seconds: float = 120.0) -> Running:
        """Wait until it says that it is ready."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", READY_PATHS.get(self.name, "/"))
                if connection.getresponse().status < 400:
                    self.ready_seconds = time.monotonic() - self.started
                    return self
            except OSError:
                pass
            time.sleep(0.02)
        self.stop()
        raise SystemExit(f"{self.name} did not start; its log is {self.log}")

    def stop(self) -> None:
        """End it with all its processes, also those that have left its process group."""
        family = list(tree(self.process.pid))
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                # A process id is used again only long after; the family was listed seconds ago.
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        if self in _running:
            _running.remove(self)


@contextlib.contextmanager
def ending_all() -> Iterator[None]:
    """End every server when the block is left: also by Ctrl-C and SIGTERM, which then end the program."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        yield
    finally:
        for server in list(_running):
            server.stop()


def start(
    name: str, script: Path, models: Path, cache: Path, cores: str, workers: int = 1, options: tuple[str, ...] = ()
) -> Running:
    """Start "sendoff", "azureml", "fastapi", "bentoml" or "mlserver" on given cores.

    Args:
        name: which server.
        script: what it serves (``apps.write``).
        models: AZUREML_MODEL_DIR.
        cache: folder of the throw-away environments.
        cores: list for ``taskset``; front and workers together.
        workers: worker processes.
        options: further options of ours; for the existing server "--preload" alone.
    """
    port = free_port()
    variables = {**os.environ, "AZUREML_MODEL_DIR": str(models), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # Should this program be killed outright, the kernel tells the server to end.
    pin = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    pin += ["taskset", "-c", cores]
    if name == "sendoff":
        python = environment(cache, "user")
        command = [sys.executable, "-m", "sendoff_serving", "--entry-script", str(script), "--model-dir", str(models)]
        command += ["--python", python, "--port", str(port), "--workers", str(workers), *options]
    elif name == "azureml":
        command = [environment(cache, name), "-m", "azureml_inference_server_http", "--entry_script", str(script)]
        command += ["--model_dir", str(models), "--port", str(port), "--worker_count", str(workers)]
        variables["WORKER_PRELOAD"] = str("--preload" in options).lower()
    elif name == "bentoml":
        variables.update(BENTOML_DO_NOT_TRACK="True", BENCHMARK_WORKERS=str(workers))
        command = [environment(cache, name), "-m", "bentoml", "serve", f"{script.stem}:Benchmark", "--port", str(port)]
        command += ["--host", "127.0.0.1"]
    elif name == "mlserver":
        variables.update(MLSERVER_HOST="127.0.0.1", MLSERVER_HTTP_PORT=str(port), MLSERVER_GRPC_PORT=str(free_port()))
        variables.update(MLSERVER_METRICS_PORT=str(free_port()), MLSERVER_PARALLEL_WORKERS=str(workers))
        command = [str(Path(environment(cache, name)).with_name("mlserver")), "start", str(script.parent)]
    else:
        command = [environment(cache, name), "-m", "uvicorn", f"{script.stem}:app", "--port", str(port)]
        command += ["--workers", str(workers), "--no-access-log", "--app-dir", str(script.parent)]
    log = script.parent / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            pin + command, env=variables, cwd=script.parent, stdout=out, stderr=out, start_new_session=True
        )
    running = Running(name, process, port, time.monotonic(), log)
    _running.append(running)
    return running
