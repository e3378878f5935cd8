"""Answer with the model that a request names."""

import json

import joblib

from azureml.core.model import Model  # Sendoff's scoring server provides this name; nothing has to be installed

NAMES = ("ridge", "forest")


def init():
    global models
    models = {name: joblib.load(Model.get_model_path(name)) for name in NAMES}


def run(body):
    asked = json.loads(body)
    name = asked.get("model", "ridge")
    if name not in models:
        return {"error": f"There is no model {name!r}; there are {', '.join(models)}"}
    return {"model": name, "predictions": models[name].predict(asked["data"]).tolist()}
