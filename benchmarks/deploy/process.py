"""Deploy to Healthy as processes with a warm environment, beside the script's own imports and `init()` run bare.

Each round deploys a new service and an update of it. Goal: at most 2 s above the script's own time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rows import Row

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


def run(rounds: int, base: str) -> list[Row]:
    """Measure; `base` is not needed."""
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

        alone: list[float] = []
        deploys = Row("deploy to Healthy", peer=alone, most_above=2.0)
        updates = Row("update to Healthy", peer=alone, most_above=2.0)
        for number in range(rounds):
            alone.append(bare(script, root))
            began = time.perf_counter()
            service = sendoff.Model.deploy(ws, f"svc-{number}", [model], inference, config)
            service.wait_for_deployment()
            deploys.seconds.append(time.perf_counter() - began)
            began = time.perf_counter()
            service.update(models=[model], inference_config=inference)
            service.wait_for_deployment()
            updates.seconds.append(time.perf_counter() - began)
            service.delete()
    return [Row("bare: imports and init()", alone), deploys, updates]
