"""From a trained model's file to an answered request, on this machine, with nothing but Python.

Run by `make quickstart`. Every step is what you would type yourself; `README.md` shows the same in ten lines.
"""

import json
import os
import sys
import time
from pathlib import Path

import joblib
import sklearn
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

import sendoff

HERE = Path(__file__).parent
HOME = Path(os.environ["SENDOFF_HOME"])
ROWS = {"data": [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]}


def main() -> int:
    began = time.monotonic()

    print("1. Train a Ridge regression on scikit-learn's diabetes data set")
    features, target = load_diabetes(return_X_y=True)
    HOME.mkdir(parents=True, exist_ok=True)
    model_file = HOME / "diabetes-ridge.pkl"
    joblib.dump(Ridge(alpha=1.0).fit(features, target), model_file)

    print("2. Register it")
    ws = sendoff.Workspace.create("quickstart", exist_ok=True, show_output=False)
    model = sendoff.Model.register(
        ws,
        str(model_file),
        "diabetes-ridge",
        tags={"area": "diabetes"},
        model_framework=sendoff.Model.Framework.SCIKITLEARN,
        model_framework_version=sklearn.__version__,
    )
    print(f"   {model.id}, {model_file.stat().st_size} bytes")

    print("3. Say what it needs, and how it is called")
    requirements = HOME / "requirements.txt"
    requirements.write_text(f"scikit-learn=={sklearn.__version__}\njoblib\ninference-schema[numpy-support]\n")
    environment = sendoff.Environment.from_pip_requirements("quickstart", str(requirements))
    inference = sendoff.InferenceConfig(entry_script="score.py", source_directory=str(HERE), environment=environment)

    print("4. Deploy it to this machine")
    service = sendoff.Model.deploy(
        ws, "diabetes", [model], inference, sendoff.LocalWebservice.deploy_configuration(), overwrite=True
    )
    service.wait_for_deployment(show_output=True)

    print("5. Ask it")
    print(f"   predictions: {service.run(json.dumps(ROWS))}")

    command = Path(sys.executable).with_name("sendoff")
    print(
        f"""
The service is {service.state} and goes on after this program has ended.

  scoring URI   {service.scoring_uri}
  Swagger URI   {service.swagger_uri}

From another shell:

  curl -s {service.scoring_uri} -H 'Content-Type: application/json' -d '{json.dumps(ROWS)}'

  export SENDOFF_HOME={HOME}
  {command} service list -w quickstart
  {command} service get-logs -n diabetes -w quickstart

To stop it:

  {command} service delete -n diabetes -w quickstart      (or: make quickstart-stop)

Took {time.monotonic() - began:.1f} s."""
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
