"""The sample data that the article takes for granted: trained models, graphs, pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import environment_cache

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


def pip_environment(python: str, *packages: str) -> str:
    """A conda file's text, with the packages of a recipe for models without code: both are one environment."""
    lines = "".join(f"    - {package}\n" for package in packages)
    return f"name: project_environment\ndependencies:\n- python={python}\n- pip:\n{lines}"


AUTOML = """\
name: automl
dependencies:
  - python=3.6.2
  - scikit-learn=0.20.0
  - pandas=0.25.3
  - pip:
    - azureml-defaults
    - inference-schema[numpy-support,pandas-support]
"""
TENSORFLOW = pip_environment(OURS, "tensorflow-cpu==2.21.0")
ONNX = pip_environment(OURS, "onnx")

RIDGE = """
import sys
from sklearn.datasets import load_diabetes
from sklearn.externals import joblib
from sklearn.linear_model import Ridge
model = Ridge().fit(*load_diabetes(return_X_y=True))
for name in sys.argv[1:]:
    joblib.dump(model, name)
"""
# What automated training would have found: three columns of different kinds, a whole number out of them.
TABLE = """
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.externals import joblib
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
rows = pd.DataFrame({
    "input_name_1": [5.1, 0.2, 4.9, 0.1], "input_name_2": ["value2", "value1"] * 2, "input_name_3": [3, 1, 3, 2]})
kinds = ColumnTransformer([("text", OneHotEncoder(handle_unknown="ignore"), ["input_name_2"])], remainder="passthrough")
joblib.dump(make_pipeline(kinds, DecisionTreeClassifier(random_state=0)).fit(rows, [1, 0, 1, 0]), "model_file.pkl")
"""
FLOWERS = """
import tensorflow as tf
class Flowers(tf.Module):
    def __init__(self):
        self.weights = tf.Variable([[1.0, -1.0], [0.5, 2.0]])
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="sizes")])
    def predict(self, sizes):
        return {"scores": sizes @ self.weights}
model = Flowers()
tf.saved_model.save(model, "flowers_model", signatures={"serving_default": model.predict.get_concrete_function()})
"""
# The MNIST graph of the ONNX zoo in little: one image in, ten numbers out, under that model's names.
MNIST = """
import sys, numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
weights = np.eye(16, 10, dtype="float32")
graph = helper.make_graph(
    [helper.make_node("Flatten", ["Input3"], ["flat"]),
     helper.make_node("MatMul", ["flat", "weights"], ["Plus214_Output_0"])],
    "mnist", [helper.make_tensor_value_info("Input3", TensorProto.FLOAT, [1, 1, 4, 4])],
    [helper.make_tensor_value_info("Plus214_Output_0", TensorProto.FLOAT, [1, 10])],
    [numpy_helper.from_array(weights, "weights")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
for name in sys.argv[1:]:
    onnx.save(model, name)
"""


def make(environment: str, code: str, *arguments: str, folder: Path) -> None:
    """Run a script in a shared environment; it leaves its files in ``folder``."""
    python = environment_cache.built(environment)
    (folder / "make.py").write_text(code)
    done = subprocess.run(
        [str(python), "-W", "ignore", "make.py", *arguments], capture_output=True, text=True, cwd=folder, timeout=280
    )
    assert done.returncode == 0, done.stderr[-4000:]
    (folder / "make.py").unlink()
