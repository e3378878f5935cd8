"""The article from its beginning to the entry scripts: connecting, registering, environments, where models lie."""

from __future__ import annotations

import functools
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Callable
from typing import NamedTuple

import article_data
import environment_cache
from article_reader import Reader
from article_samples import corrected


class Step(NamedTuple):
    """What is done with one sample: its key on the page, and a function of the reader and the sample's text."""

    key: str
    run: Callable[[Reader, str], None]


STEPS: list[Step] = []
CONDA, SCORE = "path-to-conda-specification-file", "path-to-score.py"
"""Files are called what the page's placeholders say, so that the samples need no other names."""
HERE = """
from azureml.core import Environment
from azureml.core.model import InferenceConfig
here = Environment('here')
here.python.user_managed_dependencies = True
here.python.interpreter_path = __import__('sys').executable
"""


def step(steps: list[Step], key: str) -> Callable[[Callable[[Reader, str], None]], Callable[[Reader, str], None]]:
    """Add the function to the list."""

    def add(function: Callable[[Reader, str], None]) -> Callable[[Reader, str], None]:
        steps.append(Step(key, function))
        return function

    return add


then = functools.partial(step, STEPS)


def deployed(at: Reader, code: str) -> str:
    """Run code that binds ``tried``, a service; its address once it answers."""
    at.python(f"{code}\ntried.wait_for_deployment(show_output=True)")
    return str(at.value("tried.scoring_uri"))


@then("f10db935")
def connecting(at: Reader, text: str) -> None:
    config = {"subscription_id": "0-0-0-0", "resource_group": "articles", "workspace_name": "article"}
    at.write(".file-path/ws_config.json", json.dumps(config))
    at.python(text)
    assert at.value("[ws.name, ws.resource_group, ws.subscription_id]") == ["article", "articles", "0-0-0-0"]
    at.az("az ml folder attach -w article -g articles")


@then("a6a36b03")
def registering_from_a_run(at: Reader, text: str) -> None:
    (at.folder / "outputs").mkdir()
    names = ("outputs/sklearn_mnist_model.pkl", "sklearn_regression_model.pkl")
    article_data.make(environment_cache.ARTICLE_CONDA, article_data.RIDGE, *names, folder=at.folder)
    at.python(
        "from azureml.core import Experiment\n"
        "run = recorded = Experiment(ws, 'myexperiment').start_logging()\n"
        "run.upload_file('outputs/sklearn_mnist_model.pkl', 'outputs/sklearn_mnist_model.pkl')\n"
        "run.complete()"
    )
    assert at.python(text).endswith("sklearn_mnist\tsklearn_mnist:1\t1\n")
    assert at.value("[model.tags, model.run_id == run.id]") == [{"area": "mnist"}, True]


@then("b72fae02")
def registering_from_automated_training(at: Reader, text: str) -> None:
    at.python(
        "parent = Experiment(ws, 'automl').start_logging()\n"
        "for score in (0.7, 0.9, 0.8):\n"
        "    with parent.child_run() as child:\n"
        "        child.log('accuracy', score)\n"
        "        open('model.pkl', 'wb').write(b'%f' % score)\n"
        "        child.upload_file('outputs/model.pkl', 'model.pkl')\n"
        "parent.complete()\n"
        "from azureml.train.automl.run import AutoMLRun\n"
        "run = AutoMLRun(Experiment(ws, 'automl'), parent.id)"
    )
    name = at.python(text).splitlines()[-1]
    shown = at.az(f"az ml model show -n {name}").data
    assert (shown["description"], shown["tags"]) == ("My AutoML Model", {"area": "mnist"})
    best = "from azureml.core import Model\nprint(open(Model(ws, run.model_id).download('best')).read())"
    assert at.python(best).splitlines()[-1] == "0.900000"


@then("21cfc4e0")
def registering_a_runs_file_from_the_shell(at: Reader, text: str) -> None:
    done = at.az(corrected(text, ("myrunid", at.value("recorded.id"))))
    assert (done.data["id"], done.data["tags"]) == ("sklearn_mnist:2", {"area": "mnist"})
    assert [file["path"] for file in done.data["files"]] == ["sklearn_mnist_model.pkl"]


@then("a1e0871c")
def registering_a_downloaded_graph(at: Reader, text: str) -> None:
    (at.folder / "mnist").mkdir()
    article_data.make(article_data.ONNX, article_data.MNIST, "mnist/model.onnx", "mnist-model.onnx", folder=at.folder)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(at.folder / "mnist" / "model.onnx", "mnist/model.onnx")
    (at.folder / "mnist" / "model.onnx").unlink()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(packed.getvalue())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # The archive is no longer at its address.
        at.python(corrected(text, ("https://www.cntk.ai/OnnxModels/", f"http://127.0.0.1:{server.server_port}/")))
        server.shutdown()
    assert at.value("[model.id, model.tags]") == ["onnx_mnist:1", {"onnx": "demo"}]


@then("44e0ee64")
def registering_from_the_shell(at: Reader, text: str) -> None:
    assert at.az(text).data["id"] == "onnx_mnist:2"


@then("12770657")
def the_conda_file(at: Reader, text: str) -> None:
    at.write(CONDA, text)


@then("60b96bea")
def looking_for_a_conda_package(at: Reader, text: str) -> None:
    """A command of conda's, which nothing here needs: the next sample takes the file without conda."""


@then("feb6d3de")
def registering_an_environment(at: Reader, text: str) -> None:
    assert "SyntaxError" in at.refused(text)
    at.python(corrected(text, (f"'{CONDA}'", f"'{CONDA}')")))
    assert at.value("Environment.get(ws, 'myenv').version") == "1"


def looking(text: str) -> str:
    """An entry script that says which of the sample's paths are there."""
    return f"import os\n{text}\ndef init(): pass\ndef run(data): return [os.path.exists(path) for path in PATHS]\n"


@then("cf19a4c9")
def where_one_model_lies(at: Reader, text: str) -> None:
    at.write("my_model_folder/sklearn_regression_model.pkl", b"1")
    at.write("where.py", looking(text) + "PATHS = model_path, file_path\n")
    at.python(HERE)
    for path, found in (("sklearn_regression_model.pkl", [True, False]), ("my_model_folder", [False, True])):
        address = deployed(
            at,
            f"model = Model.register(ws, '{path}', 'sklearn_model')\n"
            "tried = Model.deploy(ws, 'where', [model], InferenceConfig('where.py', environment=here), overwrite=True)",
        )
        assert at.post(address, None).value == found


@then("cd4547d1")
def where_one_of_several_models_lies(at: Reader, text: str) -> None:
    # Without `import os` it is refused, with the line to add. It is in every script of the article but these.
    at.write("where.py", looking(text).replace("import os\n", "") + "PATHS = [model_path]\n")
    code = (
        "tried = Model.deploy(ws, 'where', [Model(ws, 'sklearn_model', version=1), Model(ws, 'onnx_mnist')], "
        "InferenceConfig('where.py', environment=here), overwrite=True)"
    )
    failure = at.refused(f"{code}\ntried.wait_for_deployment()")
    assert "NameError: name 'os' is not defined" in failure
    at.write("where.py", looking(text) + "PATHS = [model_path]\n")
    assert at.post(deployed(at, code), None).value == [True]
    at.python("tried.delete()")
