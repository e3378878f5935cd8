"""A change of code alone on the docker target, from the call to Healthy, beside a bare `docker run` of the same image.

Each round changes one line of the script, updates the service and waits; then the same image is started with
`docker run` until it answers `GET /health/ready`, which is what no tool can save. Goal: at most 4 s.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from rows import Row

SCORE = """
def init():
    pass


def run(data):
    return {number}
"""


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def bare(image: str, network: str) -> float:
    """Seconds from `docker run` to the first good answer."""
    name = f"sendoff-bench-{uuid.uuid4().hex[:8]}"
    began = time.perf_counter()
    docker("run", "-d", "--rm", "--name", name, "--network", network, image)
    try:
        address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)
        while True:
            try:
                with urllib.request.urlopen(f"http://{address}:5001/health/ready", timeout=5) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - began
            except (OSError, urllib.error.URLError):
                if time.perf_counter() - began > 60:
                    raise
            time.sleep(0.01)
    finally:
        docker("kill", name)


def run(rounds: int, base: str) -> list[Row]:
    """Measure upon a base image."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ |= {"SENDOFF_HOME": str(root / "home"), "SENDOFF_ACI_TARGET": "docker", "SENDOFF_BASE_IMAGE": base}

        import sendoff
        from sendoff.client import connect

        script = root / "score.py"
        script.write_text(SCORE.format(number=0))
        ws = sendoff.Workspace.create("bench", exist_ok=True, show_output=False)
        environment = sendoff.Environment("bench")
        environment.python.conda_dependencies.add_pip_package("six==1.17.0")
        inference = sendoff.InferenceConfig(entry_script=str(script), environment=environment)
        config = sendoff.AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=0.5)
        service = sendoff.Model.deploy(ws, "svc", [], inference, config)
        service.wait_for_deployment()
        alone = Row("bare: docker run to ready")
        updates = Row("change of code to Healthy", peer=alone.seconds)
        steps: dict[str, list[float]] = {}
        try:
            for number in range(1, rounds + 1):
                script.write_text(SCORE.format(number=number))
                began = time.perf_counter()
                service.update(inference_config=inference)
                service.wait_for_deployment()
                updates.seconds.append(time.perf_counter() - began)
                assert service.run("1") == number
                with connect() as client:
                    operation = client.operations("bench")[0]
                for step in operation.steps:
                    if step.start is not None and step.end is not None:
                        steps.setdefault(step.name, []).append(step.end - step.start)
                listed = docker("ps", "--filter", "name=sendoff-bench-svc", "--format", "{{.Image}} {{.Networks}}")
                alone.seconds.append(bare(*listed.splitlines()[0].split()))
        finally:
            service.delete()
    whole = Row("change of code to Healthy, all of it", updates.seconds, most_above=4.0)
    return [alone, updates, whole, *(Row(f"  step {name}", times) for name, times in steps.items())]
