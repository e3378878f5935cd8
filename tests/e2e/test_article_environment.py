"""The article's environment, its kind of script, a model pickled by its scikit-learn: deployed and asked, unchanged."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path

import environment_cache
import pytest

import sendoff

# Written for SDK v1 in the manner of the article: the old joblib location, a numpy schema, errors returned as text.
SCORE = """\
import os

import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.schema_decorators import input_schema, output_schema
from sklearn.externals import joblib


def init():
    global model
    model = joblib.load(os.path.join(os.getenv("AZUREML_MODEL_DIR"), "ridge.pkl"))


@input_schema("data", NumpyParameterType(np.array([[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]])))
@output_schema(NumpyParameterType(np.array([3726.995])))
def run(data):
    try:
        return model.predict(data).tolist()
    except Exception as error:
        return str(error)
"""
TRAIN = """\
import json, sys
from sklearn.datasets import load_diabetes
from sklearn.externals import joblib
from sklearn.linear_model import Ridge
model = Ridge().fit(*load_diabetes(return_X_y=True))
joblib.dump(model, sys.argv[1])
print(json.dumps(model.predict(json.loads(sys.argv[2])).tolist()))
"""
ROWS = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]


@pytest.mark.slow
def test_a_model_pickled_by_scikit_learn_0_20_on_python_3_6_is_deployed_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment_cache.interpreter("3.6")
    python = environment_cache.built(environment_cache.ARTICLE_CONDA)
    trained = subprocess.run(
        [str(python), "-W", "ignore", "-c", TRAIN, str(tmp_path / "ridge.pkl"), json.dumps(ROWS)],
        check=True,
        capture_output=True,
        text=True,
    )
    monkeypatch.setenv("SENDOFF_HOME", str(environment_cache.share(tmp_path / "home")))
    monkeypatch.chdir(tmp_path)
    Path("score.py").write_text(SCORE)
    Path("conda.yml").write_text(environment_cache.ARTICLE_CONDA)

    ws = sendoff.Workspace.create("article", exist_ok=True)
    model = sendoff.Model.register(ws, "ridge.pkl", "sklearn_mnist", tags={"area": "mnist"})
    environment = sendoff.Environment.from_conda_specification(name="myenv", file_path="conda.yml")
    environment.register(workspace=ws)
    environment = sendoff.Environment.get(workspace=ws, name="myenv", version="1")
    inference = sendoff.InferenceConfig(entry_script="score.py", environment=environment)
    service = sendoff.Model.deploy(ws, "myservice", [model], inference, sendoff.LocalWebservice.deploy_configuration())
    try:
        service.wait_for_deployment(show_output=True)
        assert service.state == "Healthy"
        assert service.run(json.dumps({"data": ROWS})) == pytest.approx(json.loads(trained.stdout))
        with urllib.request.urlopen(service.swagger_uri, timeout=10) as answer:
            document = json.load(answer)
        assert document["swagger"] == "2.0"
        assert document["info"]["title"] == "myservice"
        assert document["definitions"]["ServiceInput"]["example"] == {"data": [[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]}
        # The file says what it was made with; nobody had to.
        assert model.serialize()["frameworkVersion"] in (None, "0.20.0")
        staged = Path(os.environ["SENDOFF_HOME"], "staging")
        assert [p.name for p in staged.iterdir() if p.suffix != ".lock"] == []
    finally:
        service.delete()
