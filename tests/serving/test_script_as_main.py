"""Scripts that were written to be run as programs: options read at import, names of ``__main__`` (F11, F13)."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from .running import Server, write_script

TRAINING = """
import pickle, sys

class Doubler:
    class Inner:
        factor = 2
    def __init__(self): self.inner = Doubler.Inner()
    def predict(self, number): return number * self.inner.factor

def triple(number): return number * 3

with open(sys.argv[1], "wb") as file:
    pickle.dump([Doubler(), triple], file)
"""
DEFINITIONS = """
class Doubler:
    class Inner:
        factor = 2
    def predict(self, number): return number * self.inner.factor

def triple(number): return number * 3
"""
SCRIPT = """
import json, os, pickle
{definitions}
def init():
    global model
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "m", "1", "model.pkl"), "rb") as file:
        model = pickle.load(file)

def run(data):
    number = json.loads(data)
    return [model[0].predict(number), model[1](number)]
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "m" / "1").mkdir(parents=True)
    training = folder.parent / "train.py"
    training.write_text(TRAINING)
    subprocess.run([sys.executable, training, folder / "m" / "1" / "model.pkl"], check=True)
    with pytest.raises(AttributeError):
        pickle.loads((folder / "m" / "1" / "model.pkl").read_bytes())
    return folder


def test_a_model_of_classes_that_the_script_repeats_is_loaded(serve, models: Path) -> None:
    server = serve(SCRIPT.format(definitions=DEFINITIONS), "--model-dir", models)
    assert server.score("4").json == [8, 12]


def test_in_a_forked_worker_too(serve, models: Path) -> None:
    server = serve(SCRIPT.format(definitions=DEFINITIONS), "--model-dir", models, "--preload")
    assert server.score("4").json == [8, 12]


def failed(tmp_path: Path, start, text: str, *arguments: object) -> str:
    server: Server = start("--entry-script", write_script(tmp_path, text), *arguments, wait=False)
    assert server.wait_end() == 3, server.log
    return server.log


def test_without_the_class_the_hint_says_what_to_write(tmp_path: Path, start, models: Path) -> None:
    log = failed(tmp_path, start, SCRIPT.format(definitions=""), "--model-dir", models)
    assert "Can't get attribute 'Doubler'" in log
    assert "define it in the score script too" in log


ARGUMENTS = """
import argparse, sys
parser = argparse.ArgumentParser()
parser.add_argument("--threshold", type=float, {more})
options = parser.parse_args()
def init(): pass
def run(data): return [options.threshold, len(sys.argv), sys.argv[0].endswith("score.py")]
"""


def test_options_read_at_import_have_their_defaults(serve) -> None:
    assert serve(ARGUMENTS.format(more="default=0.5")).score("x").json == [0.5, 1, True]


def test_a_script_that_ends_the_program_says_so_with_what_it_wrote(tmp_path: Path, start) -> None:
    log = failed(tmp_path, start, ARGUMENTS.format(more="required=True"))
    assert "the following arguments are required: --threshold" in log
    assert "ended the program" in log
