"""Name the kind of each flower."""

import os

import joblib
import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

KINDS = ["setosa", "versicolor", "virginica"]


def init():
    global model
    model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "iris.joblib"))


@input_schema("flowers", NumpyParameterType(np.array([[5.1, 3.5, 1.4, 0.2]])))
@output_schema(StandardPythonParameterType(["setosa"]))
def run(flowers):
    return [KINDS[kind] for kind in model.predict(flowers)]
