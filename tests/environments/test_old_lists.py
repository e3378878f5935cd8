"""Requirements of the kind that repositories of 2019 to 2023 hold are built today, and import what they name.

Three quick ones run always, the others with `make as-of-proof`. They come from the real package index.
"""

import os
import subprocess

import environment_cache
import pytest
from resolving import resolve

from sendoff.environments import build
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.settings import Settings

QUICK = [
    ("3.6", ["flask-restplus==0.13.0"], "flask_restplus"),
    ("3.7", ["flask==1.1.2", "requests"], "flask, requests"),
    ("3.8", ["Jinja2==2.11.3"], "jinja2"),
]
LONG = [
    ("3.6", ["azureml-defaults==1.0.45", "scikit-learn==0.20.3", "pandas"], "sklearn.linear_model, pandas"),
    ("3.6", ["keras==2.2.4", "scikit-learn"], "sklearn.svm"),
    ("3.6", ["flask==1.0.2", "requests"], "flask, requests"),
    ("3.7", ["flask==1.1.2", "pandas==1.0.5"], "flask, pandas"),
    ("3.7", ["shap==0.35.0", "xgboost==0.90"], "shap, xgboost"),
    ("3.7", ["spacy==2.3.5"], "spacy"),
    ("3.7", ["statsmodels==0.12.2"], "statsmodels.api"),
    ("3.8", ["mlflow==1.20.2"], "mlflow.pyfunc"),
    ("3.8", ["category_encoders==2.2.2"], "category_encoders"),
    ("3.8", ["seaborn==0.11.2"], "seaborn"),
    ("3.8", ["onnx==1.7.0", "numpy"], "onnx"),
    ("3.9", ["scikit-learn==1.0.2", "joblib"], "sklearn.ensemble, joblib"),
    ("3.9", ["statsmodels==0.13.1"], "statsmodels.api"),
    ("3.9", ["shap==0.41.0", "scikit-learn"], "shap"),
    ("3.10", ["scikit-learn==1.1.3", "pandas"], "sklearn.ensemble, pandas"),
    ("3.10", ["lightgbm==3.3.2", "scikit-learn"], "lightgbm"),
    ("3.10", ["imbalanced-learn==0.9.0"], "imblearn"),
    ("3.11", ["scikit-learn==1.2.2", "joblib", "pandas"], "sklearn.ensemble, joblib, pandas"),
    ("3.11", ["pandas==1.5.3"], "pandas"),
    ("3.11", ["xgboost==1.7.4", "scikit-learn"], "xgboost, sklearn"),
]


@pytest.mark.parametrize(
    ("python", "lines", "modules"),
    [*QUICK, *(pytest.param(*one, marks=[pytest.mark.as_of_proof, pytest.mark.timeout(1200)]) for one in LONG)],
    ids=lambda value: ",".join(value) if isinstance(value, list) else None,
)
def test_an_old_list_is_built_as_of_its_time_and_imports_what_it_names(python, lines, modules):
    environment_cache.interpreter(python)
    definition = EnvironmentSpec(name="old", python=PythonSpec(conda_packages=[f"python={python}"], pip_packages=lines))
    home = environment_cache.home()
    lock, supply = resolve(definition, home=home, settings=Settings(), environ=os.environ)
    assert lock.as_of is not None, lock.notes
    built = build.ensure(lock, supply, home=home)
    done = subprocess.run([str(built.python), "-c", f"import {modules}"], capture_output=True, text=True, cwd=home)
    assert done.returncode == 0, f"as of {lock.as_of}: {done.stderr}"
