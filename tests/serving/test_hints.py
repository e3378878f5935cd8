"""Mistakes in a script that keep it from being loaded: what the log says to do."""

from __future__ import annotations

import json
import pickle

import pytest

from .running import write_script

RUN = "def init(): pass\ndef run(data): return 1\n"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("%%writefile score.py\n" + RUN, "line 1 is a notebook's magic command (%%writefile score.py)"),
        (RUN + "!pip install x\n", "line 3 is a notebook's shell command"),
        (RUN + "<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> other\n", "line 3 is the mark of a merge conflict"),
        ("name = {{model_name}} +\n" + RUN, "line 1 holds a placeholder that was not filled in"),
        ("path = os.getcwd()\n" + RUN, "the script uses os without importing it: add the line 'import os' at its top"),
        ("sample = np.array([1])\n" + RUN, "add the line 'import numpy as np' at its top"),
        ("name = <model name>\n" + RUN, "line 1 holds a placeholder that was not filled in"),
        ("import azureml.nothing.known\n" + RUN, "azureml.nothing is not among what Sendoff provides"),
        ("from azureml.core import Environment\n" + RUN, "azureml.core.Environment is not among what Sendoff"),
        (
            "from azureml.automl.dnn.nlp.common.constants import ScoringLiterals\n" + RUN,
            "such as azureml-automl-dnn",
        ),
        (
            "from azureml.train.automl.runtime.automl_explain_utilities import automl_setup_model_explanations\n" + RUN,
            "such as azureml-train-automl-runtime",
        ),
        ("from azureml.automl.runtime.shared import score\n" + RUN, "such as azureml-automl-runtime"),
    ],
)
def test_the_log_says_what_to_do_and_ends_with_it(start, tmp_path, text, hint) -> None:
    server = start("--entry-script", write_script(tmp_path, text), wait=False)
    assert server.wait_end() == 3
    assert hint in server.lines[-1], server.log


def test_a_missing_model_shows_as_the_exception_that_users_know(start, tmp_path) -> None:
    text = "from azureml.core.model import Model\ndef init(): Model.get_model_path('nope')\ndef run(data): return 1\n"
    server = start("--entry-script", write_script(tmp_path, text), wait=False)
    assert server.wait_end() == 3
    assert "azureml.exceptions.ModelNotFoundException: Model nope not found" in server.log
    assert "sendoff_serving.worker.models." not in server.log
    assert "AZUREML_MODEL_DIR" in server.lines[-1]
    (tmp_path / "azureml-models" / "ridge" / "1").mkdir(parents=True)
    again = start("--entry-script", write_script(tmp_path, text), wait=False, cwd=tmp_path)
    assert again.wait_end() == 3
    assert "'ridge': write one of these names" in again.lines[-1], again.log


def test_a_folder_that_is_called_as_the_model_is_the_model(serve, tmp_path) -> None:
    """ddsatyamoorthy/MLOps- and others: ``get_model_path('rf_model_500')``, tried with --model-dir alone."""
    (tmp_path / "models" / "ridge").mkdir(parents=True)
    (tmp_path / "models" / "ridge" / "r.pkl").write_text("")
    text = """
        from azureml.core.model import Model
        def init():
            global path
            path = Model.get_model_path("ridge")
        def run(data):
            return path
    """
    assert serve(text, "--model-dir", tmp_path / "models" / "ridge").score("1").json.endswith("models/ridge/r.pkl")


def test_the_names_of_monitoring_and_automl_can_be_imported(serve) -> None:
    server = serve("""
        import azureml.automl.core
        from azureml.ai.monitoring import Collector
        from azureml.automl.core import inference
        from azureml.core import databricks

        def init():
            global inputs, outputs
            inputs = Collector(name="model_inputs", on_error=lambda error: None)
            outputs = Collector(name="model_outputs")

        def run(data):
            context = inputs.collect([data])
            return outputs.collect([1], context) is context and bool(context.get_id())
    """)
    assert server.score("x").json is True


AUTOML = """
    import json
    import logging
    import os
    import pickle
    import azureml.automl.core
    from azureml.automl.core.shared import logging_utilities, log_server
    from azureml.telemetry import INSTRUMENTATION_KEY, set_diagnostics_collection
    import azureml.train.automl

    set_diagnostics_collection(send_diagnostics=True)
    try:
        log_server.enable_telemetry(INSTRUMENTATION_KEY)
        log_server.set_verbosity("INFO")
        logger = logging.getLogger("azureml.automl.core.scoring_script")
        set_up = True
    except ImportError:
        set_up = False

    def init():
        global model
        path = os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model.pkl")
        log_server.update_custom_dimensions({"model_name": "m", "model_version": "1"})
        try:
            logger.info("Loading model from path.")
            with open(path, "rb") as file:
                model = pickle.load(file)
            logger.info("Loading successful.")
        except Exception as error:
            logging_utilities.log_traceback(error, logger)
            raise

    def run(data):
        try:
            return json.dumps({"result": [model[str(row)] for row in json.loads(data)["data"]], "set_up": set_up})
        except Exception as error:
            logging_utilities.log_traceback(error, logger)
            return json.dumps({"error": str(error)})
"""


def test_a_script_as_automl_generates_it_runs_without_the_vendors_packages(serve, tmp_path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.pkl").write_bytes(pickle.dumps({"1": "one"}, 2))
    server = serve(AUTOML, "--model-dir", tmp_path / "model")
    assert json.loads(server.score({"data": [1]}).json) == {"result": ["one"], "set_up": True}
    assert json.loads(server.score({"data": [2]}).json) == {"error": "'2'"}
    server.stop()
    assert "Loading successful." in server.log and "KeyError: '2'" in server.log


def test_a_module_that_an_installed_package_hides_is_named(serve, start, tmp_path) -> None:
    write_script(tmp_path, "mine = 1\n", "code.py")  # the standard library has a module of this name
    server = serve("import code\ndef init(): pass\ndef run(data): return hasattr(code, 'mine')\n")
    assert server.score("x").json is False
    server.stop()
    assert any(" W [" in line and "import code is " in line and "rename one of them" in line for line in server.lines)
    write_script(tmp_path, "from code import mine\n" + RUN, "broken.py")
    failed = start("--entry-script", tmp_path / "broken.py", wait=False)
    assert failed.wait_end() == 3
    assert "Hint: import code is " in failed.log


def test_a_module_of_the_scripts_own_is_not_warned_of(serve, tmp_path) -> None:
    write_script(tmp_path, "mine = 1\n", "helper_of_mine.py")
    server = serve("import helper_of_mine, json\ndef init(): pass\ndef run(data): return helper_of_mine.mine\n")
    assert server.score("x").json == 1
    server.stop()
    assert "rename one of them" not in server.log
