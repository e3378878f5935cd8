"""The entry script: load the model once, answer every request with a prediction a row."""

import os

import joblib
import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.schema_decorators import input_schema, output_schema

SAMPLE_ROWS = np.array([[0.03, 0.05, 0.06, 0.02, -0.04, -0.03, -0.04, -0.002, 0.01, -0.01]])
SAMPLE_PREDICTIONS = np.array([152.1])


def init():
    global model
    model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "diabetes-ridge.pkl"))
    print("model loaded:", model)


@input_schema("data", NumpyParameterType(SAMPLE_ROWS))
@output_schema(NumpyParameterType(SAMPLE_PREDICTIONS))
def run(data):
    return model.predict(data).tolist()
