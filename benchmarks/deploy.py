"""Deploy to Healthy with a warm environment, beside the script's own imports and `init()` run bare.

Run: python benchmarks/deploy.py [--rounds N]. Goal: at most 2 s above the script's own time. Each round deploys a new
service and an update of it; medians are printed, with everything measured on the same machine in turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCORE = """
import os
import numpy
import sklearn.linear_model


def init():
    global model
    model = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.txt")).read()


def run(data):
    return len(data)
"""


def bare(script: Path, model_dir: Path) -> float:
    """Seconds for the interpreter to start, import the script and call init(): what no tool can save."""
    env = {**os.environ, "AZUREML_MODEL_DIR": str(model_dir)}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import score; score.init()"], cwd=script.parent, env=env, check=True)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ["SENDOFF_HOME"] = str(root / "home")
        script = root / "score.py"
        script.write_text(SCORE)
        (root / "model.txt").write_text("a model")

        import sendoff

        ws = sendoff.Workspace.create("bench", exist_ok=True, show_output=False)
        model = sendoff.Model.register(ws, str(root / "model.txt"), "m")
        environment = sendoff.Environment("bench")
        environment.python.user_managed_dependencies = True
        environment.python.interpreter_path = sys.executable
        inference = sendoff.InferenceConfig(entry_script=str(script), environment=environment)
        config = sendoff.LocalWebservice.deploy_configuration()

        alone, deploys, updates = [], [], []
        for number in range(rounds):
            alone.append(bare(script, root))
            began = time.perf_counter()
            service = sendoff.Model.deploy(ws, f"svc-{number}", [model], inference, config)
            service.wait_for_deployment()
            deploys.append(time.perf_counter() - began)
            began = time.perf_counter()
            service.update(models=[model], inference_config=inference)
            service.wait_for_deployment()
            updates.append(time.perf_counter() - began)
            service.delete()

    base = statistics.median(alone)
    print(f"{'':34}{'median s':>10}{'above bare':>12}{'ratio':>8}")
    for name, values in (("bare: imports and init()", alone), ("deploy to Healthy", deploys), ("update", updates)):
        value = statistics.median(values)
        print(f"{name:34}{value:10.2f}{value - base:12.2f}{value / base:8.1f}")
    print("goal: a deploy at most 2.00 s above bare")
    return 0


if __name__ == "__main__":
    sys.exit(main())
