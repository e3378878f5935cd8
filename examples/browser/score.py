"""Greet whoever is named."""

import json
import os


def init():
    global greeting
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "greeting.txt")) as file:
        greeting = file.read().strip()


def run(body):
    return {"text": f"{greeting}, {json.loads(body)['name']}!"}
