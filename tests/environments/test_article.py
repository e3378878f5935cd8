"""The article's environment, for real: Python 3.6, scikit-learn 0.20.0, inference-schema, built from the index."""

import json
import subprocess

import pytest
from environment_cache import ARTICLE_CONDA, built, interpreter, locked, needs_compiler

_TRAIN = """
import json, sys
import numpy as np
from sklearn.externals import joblib
from sklearn.linear_model import Ridge
X = np.arange(20.0).reshape(10, 2)
joblib.dump(Ridge(alpha=0.5).fit(X, X[:, 0] * 3 + 1), sys.argv[1])
"""
_SCORE = """
import json, pickle, sys
import numpy, sklearn
from sklearn.externals import joblib
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.schema_decorators import input_schema
model = joblib.load(sys.argv[1])
@input_schema("data", NumpyParameterType(numpy.array([[1.0, 2.0]])))
def run(data):
    return model.predict(data).tolist()
print(json.dumps([sys.version_info[:2], sklearn.__version__, run(data=[[1.0, 2.0]])]))
"""


@pytest.fixture(scope="module")
def python():
    interpreter("3.6")
    needs_compiler()  # wrapt of that age has no wheel for 3.6
    return built(ARTICLE_CONDA)


def run(python, code, *arguments):
    done = subprocess.run(
        [str(python), "-W", "ignore", "-c", code, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(900)
def test_the_articles_environment_trains_pickles_and_loads(python, tmp_path):
    run(python, _TRAIN, tmp_path / "ridge.pkl")
    version, sklearn, prediction = json.loads(run(python, _SCORE, tmp_path / "ridge.pkl"))
    assert version == [3, 6]
    assert sklearn == "0.20.0"
    assert prediction == [pytest.approx(4.0, abs=0.1)]


@pytest.mark.timeout(900)
def test_its_lock_says_what_was_done_to_it(python):
    lock = locked(ARTICLE_CONDA)
    assert lock.pins()["scikit-learn"] == "0.20.0"
    assert lock.python_version.startswith("3.6.")
    assert not [name for name in lock.pins() if name.startswith("azureml")]
    said = "\n".join(lock.notes)
    assert "python=3.6.2 is met by Python 3.6." in said
    assert "azureml-defaults: left out" in said
    assert "installed with pip" in said
