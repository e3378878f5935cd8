"""A change of code alone on the docker target, from the call to Healthy, beside a bare `docker run` of the same image.

Run: python benchmarks/deploy_docker.py [--rounds N] [--base IMAGE]. Goal: at most 4 s with a warm engine. Each round
changes one line of the script, updates the service and waits; then the same image is started with `docker run` until it
answers `GET /health/ready`, which is what no tool can save. Medians are printed, with the steps and the machine's load.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--base", default="sendoff-test/base:bookworm", help="image with Python 3.11 or newer")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ |= {
            "SENDOFF_HOME": str(root / "home"), "SENDOFF_ACI_TARGET": "docker", "SENDOFF_BASE_IMAGE": given.base,
        }  # fmt: skip

        import sendoff
        from sendoff.api.client import connect

        script = root / "score.py"
        script.write_text(SCORE.format(number=0))
        ws = sendoff.Workspace.create("bench", exist_ok=True, show_output=False)
        environment = sendoff.Environment("bench")
        environment.python.conda_dependencies.add_pip_package("six==1.17.0")
        inference = sendoff.InferenceConfig(entry_script=str(script), environment=environment)
        config = sendoff.AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=0.5)

        began = time.perf_counter()
        service = sendoff.Model.deploy(ws, "svc", [], inference, config)
        service.wait_for_deployment()
        first = time.perf_counter() - began
        print(f"first deployment, image made: {first:.2f} s")
        updates, alone = [], []
        steps: dict[str, list[float]] = {}
        try:
            for number in range(1, given.rounds + 1):
                script.write_text(SCORE.format(number=number))
                began = time.perf_counter()
                service.update(inference_config=inference)
                service.wait_for_deployment()
                updates.append(time.perf_counter() - began)
                assert service.run("1") == number
                with connect() as client:
                    operation = client.operations("bench")[0]
                for step in operation.steps:
                    if step.start is not None and step.end is not None:
                        steps.setdefault(step.name, []).append(step.end - step.start)
                listed = docker("ps", "--filter", "name=sendoff-bench-svc", "--format", "{{.Image}} {{.Networks}}")
                alone.append(bare(*listed.splitlines()[0].split()))
        finally:
            service.delete()

    base = statistics.median(alone)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{'':34}{'median s':>10}{'slowest':>10}{'ratio':>8}    load {load}, {os.cpu_count()} CPUs")
    for name, values in (("bare: docker run to ready", alone), ("change of code to Healthy", updates)):
        value = statistics.median(values)
        print(f"{name:34}{value:10.2f}{max(values):10.2f}{value / base:8.1f}")
    for name, values in steps.items():
        print(f"  step {name:27}{statistics.median(values):10.2f}{max(values):10.2f}")
    print("goal: a change of code to Healthy within 4.00 s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
