"""Where things lie: application root, source directory, models, variables (spec/behaviour.md sec. 9)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .running import write_script


def test_a_bundle_lays_out_root_source_and_models(start, make_bundle) -> None:
    bundle = make_bundle(
        """
        import os, json
        import helper_of_mine
        from azureml.core.model import Model

        def init():
            global found
            found = {
                "cwd": os.getcwd(),
                "extra": json.load(open("./src/extradata.json")),
                "dir": os.environ["AZUREML_MODEL_DIR"],
                "file": open(os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model.pkl")).read(),
                "get": Model.get_model_path("m"),
                "variables": {k: os.environ.get(k) for k in (
                    "AML_APP_ROOT", "AZUREML_ENTRY_SCRIPT", "AZUREML_SOURCE_DIRECTORY", "SERVICE_NAME", "K")},
                "helper": helper_of_mine.value,
            }

        def run(data):
            return found
        """,
        models=[{"name": "m", "version": 3, "path": "azureml-models/m/3"}],
        model_dir="azureml-models/m/3",
        environment={"variables": {"K": "V"}},
    )
    app = bundle / "app"
    write_script(app, "value = 5\n", "src/helper_of_mine.py")
    (app / "src" / "extradata.json").write_text('{"x": 1}')
    (app / "azureml-models" / "m" / "3").mkdir(parents=True)
    (app / "azureml-models" / "m" / "3" / "model.pkl").write_text("weights")
    found = start("--bundle", bundle).score("").json
    assert found == {
        "cwd": str(app),
        "extra": {"x": 1},
        "dir": str(app / "azureml-models/m/3"),
        "file": "weights",
        "get": "azureml-models/m/3/model.pkl",
        "variables": {
            "AML_APP_ROOT": str(app),
            "AZUREML_ENTRY_SCRIPT": "src/score.py",
            "AZUREML_SOURCE_DIRECTORY": "src",
            "SERVICE_NAME": "svc",
            "K": "V",
        },
        "helper": 5,
    }


def test_several_models_lie_below_one_folder(start, make_bundle) -> None:
    bundle = make_bundle(
        """
        import os
        from azureml.core.model import Model
        from azureml.core import Model as Same

        def init(): pass

        def run(data):
            root = os.getenv("AZUREML_MODEL_DIR")
            return [
                sorted(os.listdir(root)),
                open(os.path.join(root, "a", "2", "a.pkl")).read(),
                Model.get_model_path("a"), Model.get_model_path("a", 2), Same.get_model_path("b", version=1),
                Model.get_model_path(model_name="a", version=None, _workspace=None),
            ]
        """,
        models=[{"name": "a", "version": 2, "path": "azureml-models/a/2"}],
        model_dir="azureml-models",
    )
    models = bundle / "app" / "azureml-models"
    for path in ("a/2/a.pkl", "a/10/a.pkl", "b/1/folder/x"):
        (models / path).parent.mkdir(parents=True)
        (models / path).write_text(path)
    found = start("--bundle", bundle).score("").json
    assert found == [
        ["a", "b"],
        "a/2/a.pkl",
        "azureml-models/a/10/a.pkl",
        "azureml-models/a/2/a.pkl",
        "azureml-models/b/1/folder",
        "azureml-models/a/10/a.pkl",
    ]


def test_get_model_path_says_what_is_wrong(serve, tmp_path) -> None:
    for path in ("azureml-models/two/1/a", "azureml-models/two/1/b"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / "local.pkl").write_text("")
    server = serve("""
        from azureml.core.model import Model
        from azureml.exceptions import WebserviceException, ModelNotFoundException

        def init(): pass

        def run(data):
            name, version = eval(data)
            try:
                return Model.get_model_path(name, version)
            except ModelNotFoundException as error:
                return "not found: " + str(error)
            except WebserviceException as error:
                return "error: " + str(error)
    """)
    assert server.score("('two', 1)").json.startswith("error: Dir azureml-models/two/1 can contain only 1 file")
    assert server.score("('two', '1')").json == "error: version should be an int"
    assert server.score("('local.pkl', None)").json == "local.pkl"
    assert server.score("('nope', None)").json.startswith("not found: Model nope not found in cache at azureml-models")


def test_alone_the_working_directory_is_the_application_root(serve, tmp_path) -> None:
    models = tmp_path / "elsewhere" / "models"
    models.mkdir(parents=True)
    server = serve(
        "import os\ndef init(): pass\ndef run(d): return [os.getcwd(), os.environ['AML_APP_ROOT'], "
        "os.environ['AZUREML_MODEL_DIR'], os.environ['SERVICE_NAME'], os.environ['SERVICE_VERSION']]\n",
        *("--model-dir", "elsewhere/models", "--service-name", "alone", "--service-version", "9"),
    )
    # Scripts take AZUREML_MODEL_DIR apart: below the application root it stays as it was given.
    assert server.score("").json == [str(tmp_path), str(tmp_path), "elsewhere/models", "alone", "9"]


@pytest.mark.parametrize("given", ["models", "ABSOLUTE", "../models"])
def test_a_model_folder_elsewhere_is_found_from_the_application_root(start, tmp_path, given) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "here").touch()
    (tmp_path / "run" / "models").mkdir(parents=True)
    text = "import os\ndef init(): pass\ndef run(d): return os.listdir(os.environ['AZUREML_MODEL_DIR'])\n"
    script = write_script(tmp_path, text, "app/s.py")
    named = str(tmp_path / "models") if given == "ABSOLUTE" else given
    cwd = tmp_path / "run" if given.startswith("..") else tmp_path
    server = start("--entry-script", script, "--app-root", tmp_path / "app", "--model-dir", named, cwd=cwd)
    assert server.score("").json == ["here"]


def test_variables_and_a_config_file_stand_in_for_options(start, tmp_path) -> None:
    write_script(tmp_path, "def init(): pass\ndef run(data): return __import__('helper').name\n", "app/code/main.py")
    write_script(tmp_path, "name = 'found'\n", "app/lib/helper.py")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"SERVICE_NAME": "from file", "SERVICE_VERSION": "2.5", "SCORING_TIMEOUT_MS": 4000}))
    server = start(
        env={
            "AML_APP_ROOT": str(tmp_path / "app"),
            "AZUREML_ENTRY_SCRIPT": "code/main.py",
            "AZUREML_SOURCE_DIRECTORY": "lib",
            "AZUREML_CONFIG_FILE": str(config),
            "SERVICE_VERSION": "3.0",
            "SERVICE_PATH_PREFIX": "/a/b/",
            "WORKER_COUNT": "2",
        }
    )
    assert server.score("").json == "found"
    info = server.get("/swagger.json").json["info"]
    assert (info["title"], info["version"]) == ("from file", "3.0")
    assert server.get("/a/b/").status == 200
    server.stop()
    assert "Worker Count: 2" in server.log and "Scoring timeout is set to 4000" in server.log


def test_without_a_script_main_is_imported(start, tmp_path) -> None:
    write_script(tmp_path, "def init(): pass\ndef run(data): return 'main'\n", "main.py")
    assert start().score("").json == "main"


def test_a_driver_module_wraps_the_real_script(serve, tmp_path) -> None:
    write_script(tmp_path, "def init(): raise SystemError\ndef run(data): return ['inner', data, state]\n", "real.py")
    server = serve("import real as driver_module\ndef init(): driver_module.state = 'set'\ndef run(a, b, c): pass\n")
    assert server.score("x").json == ["inner", "x", "set"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("from sklearn.externals import joblib", "joblib.__name__"),
        ("import sklearn.externals.joblib as j", "j.load.__module__"),
        ("from azureml.core import VERSION, Run, Workspace", "Run.get_context().id"),
        ("import azureml.train.automl", "azureml.train.automl.__name__"),
        ("from azureml.telemetry import INSTRUMENTATION_KEY, set_diagnostics_collection", "INSTRUMENTATION_KEY"),
        ("from azureml.automl.core.shared import logging_utilities, log_server", "log_server.__name__"),
        (
            "from azureml.monitoring import ModelDataCollector",
            "ModelDataCollector('m', designation='inputs').collect([1])",
        ),
        ("from azureml.core.run import Run", "Run.get_context().log('a', 1)"),
        ("from azureml_inference_server_http.api.aml_request import AMLRequest, rawhttp", "AMLRequest.__name__"),
        ("from azureml_inference_server_http.api.aml_response import AMLResponse", "AMLResponse.__name__"),
    ],
)
def test_import_names_of_old_scripts_are_there(serve, line: str, text: str) -> None:
    import sys

    more = ["--python", sys.executable]
    server = serve(f"{line}\ndef init(): pass\ndef run(data): return {text}\n", *more)
    assert server.score("").status == 200, server.log


def test_workspace_in_a_worker_names_what_it_needs(serve) -> None:
    server = serve("from azureml.core import Workspace\ndef init(): pass\ndef run(d): return Workspace.from_config()\n")
    assert server.score("").status == 500
    server.stop()
    assert "workspace classes need Python 3.11" in server.log


def test_old_pickles_name_joblib_where_it_was(serve, tmp_path: Path) -> None:
    server = serve("""
        import pickle

        def init(): pass

        def run(data):
            return pickle.loads(b"csklearn.externals.joblib.numpy_pickle\\nNumpyArrayWrapper\\n.").__module__
    """)
    assert server.score("").json == "joblib.numpy_pickle"
