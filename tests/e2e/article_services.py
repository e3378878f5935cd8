"""The article from its entry scripts to downloading a model: deploying, profiling, asking."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import article_data
from article_models import CONDA, SCORE, Step, deployed, step
from article_reader import Reader
from article_samples import corrected

STEPS: list[Step] = []
ROWS = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]
then = functools.partial(step, STEPS)


def predictions(answer: Any) -> list[float]:
    """Two numbers, of which the first row's is the smaller: what the trained model says of ``ROWS``."""
    assert isinstance(answer, list), answer
    assert len(answer) == 2, answer
    first, second = answer
    assert isinstance(first, float)
    assert first != second
    return answer


@then("76724083")
def the_entry_script(at: Reader, text: str) -> None:
    at.write(SCORE, text)


@then("a31a6dc0")
def the_entry_script_of_automated_training(at: Reader, text: str) -> None:
    article_data.make(article_data.AUTOML, article_data.TABLE, folder=at.folder)
    at.write("automl.yml", article_data.AUTOML)
    at.write("automl_score.py", text)
    at.python("model = Model.register(ws, 'model_file.pkl', 'table')")
    code = (
        "from azureml.core.webservice import LocalWebservice\n"
        "automl = Environment.from_conda_specification('automl', 'automl.yml')\n"
        "automl = InferenceConfig('automl_score.py', environment=automl)\n"
        "tried = Model.deploy(ws, 'table', [model], automl, LocalWebservice.deploy_configuration(), overwrite=True)"
    )
    # It uses os without importing it.
    failure = at.refused(f"{code}\ntried.wait_for_deployment()")
    assert "NameError: name 'os' is not defined" in failure
    assert "import os" in failure
    at.write("automl_score.py", corrected(text, ("import json\n", "import json\nimport os\n")))
    address = deployed(at, code)
    rows = [{"input_name_1": 5.0, "input_name_2": "value2", "input_name_3": 3},
            {"input_name_1": 0.1, "input_name_2": "value1", "input_name_3": 1}]  # fmt: skip
    assert at.post(address, {"data": rows}).value == [1, 0]
    at.python("tried.delete()")


@then("16e3b110")
def the_inference_configuration(at: Reader, text: str) -> None:
    at.python(text)
    assert at.value("[myenv.version, inference_config.entry_script]") == ["1", SCORE]


@then("e8297ce0")
def deploying_from_the_shell(at: Reader, text: str) -> None:
    assert at.az("az ml model register -n mymodel -p outputs/sklearn_mnist_model.pkl").data["id"] == "mymodel:1"
    config = {"entryScript": SCORE, "runtime": "python", "condaFile": CONDA}
    at.write("inferenceconfig.json", json.dumps(config))
    service = at.az(text).data
    assert service["state"] == "Healthy"
    predictions(at.post(service["scoringUri"], {"data": ROWS}).value)
    # The page deploys another one of that name further down.
    at.az("az ml service delete -n myservice")


@then("64bc5236")
def the_dataset(at: Reader, text: str) -> None:
    at.python(text)
    assert at.value("sample_request_data.to_pandas_dataframe().shape") == [100, 1]


@then("d88e30d2")
def profiling(at: Reader, text: str) -> None:
    at.python("model_id = 'mymodel:1'")
    at.python(text)
    details = at.value("details")
    assert details["state"] == "Succeeded"
    assert details["recommendedCpu"] > 0
    assert details["successRate"] == 100.0


@then("6d621346")
def profiling_from_the_shell(at: Reader, text: str) -> None:
    line = corrected(
        text,
        ("<resource-group-name>", "articles"),
        ("<workspace-name>", "article"),
        ("<path-to-inf-config.json>", "inferenceconfig.json"),
        ("<model-id>", "mymodel:1"),
        ("<input-dataset-id>", at.value("input_dataset.id")),
        ("<unique-name>", "another-name"),
    )
    assert at.az(line).data["successRate"] == 100.0


@then("f9388ba8")
def keeping_what_was_measured(at: Reader, text: str) -> None:
    at.python(text)
    tags = at.value("Model(ws, id=model_id).tags")
    assert tags["requestedCpu"] == str(at.value("details['requestedCpu']"))
    assert set(tags) == {"requestedCpu", "requestedMemoryInGb"}


@then("c915198b")
def keeping_it_from_the_shell(at: Reader, text: str) -> None:
    line = corrected(
        text, ("<resource-group-name>", "articles"), ("<workspace-name>", "article"), ("<model-id>", "mymodel:1")
    )
    # `model profile` measures and has no --i; `model update -i` is meant. It is taken, with a note.
    done = at.az(line)
    assert done.data["tags"] == {"requestedCpu": "1", "requestedMemoryInGb": "0.5"}
    assert "sendoff model update -i mymodel:1" in done.err
    meant = corrected(line, ("model profile", "model update"), ("--i ", "-i "))
    assert at.az(meant).data["tags"] == done.data["tags"]


@then("274f7ca9")
def a_local_configuration(at: Reader, text: str) -> None:
    # The page has the classes' import below the table.
    at.python("from azureml.core.webservice import AciWebservice, AksWebservice, LocalWebservice")
    at.python(text)
    assert at.value("deployment_config.port") == 8890


@then("2f330ff2")
def a_container_instance_configuration(at: Reader, text: str) -> None:
    at.python(text)
    assert at.value("[deployment_config.cpu_cores, deployment_config.memory_gb]") == [1, 1]


@then("0831551a")
def a_cluster_configuration(at: Reader, text: str) -> None:
    at.python(text)
    assert at.value("[deployment_config.cpu_cores, deployment_config.memory_gb]") == [1, 1]


@then("1ebb8306")
def importing_the_services(at: Reader, text: str) -> None:
    at.python(text)


@then("18be4cd2")
def deploying_locally(at: Reader, text: str) -> None:
    printed = at.python(corrected(text, ("port=8890", f"port={at.port(8890)}")))
    assert printed.splitlines()[-1] in ("Healthy", "running")
    assert at.value("service.scoring_uri").endswith(f":{at.port(8890)}/score")


@then("80eb1bcf")
def deploying_locally_from_the_shell(at: Reader, text: str) -> None:
    at.write("deploymentconfig.json", json.dumps({"computeType": "local", "port": at.port(8891)}))
    # It names no service.
    refused = at.az(text, code=2)
    assert "--name is missing" in refused.err
    assert "Add -n NAME, for example: sendoff model deploy -n mymodel" in refused.err
    service = at.az(corrected(text, ("deploy ", "deploy -n mymodel "))).data
    assert service["scoringUri"].endswith(f":{at.port(8891)}/score")
    predictions(at.post(service["scoringUri"], {"data": ROWS}).value)
    at.az("az ml service delete -n mymodel")


@then("4275196a")
def a_client(at: Reader, text: str) -> None:
    headers, status, _, answer = at.python(text).splitlines()
    assert (headers, status) == ("{'Content-Type': 'application/json'}", "200")
    predictions(json.loads(answer))


@then("c271ec0f")
def the_address_of_the_document(at: Reader, text: str) -> None:
    assert at.python(text).strip() == f"http://127.0.0.1:{at.port(8890)}/swagger.json"


@then("9d2a5137")
def the_document(at: Reader, text: str) -> None:
    served, printed = at.ask("GET", at.value("service.swagger_uri")).value, json.loads(text)
    # What is printed is served; newer releases of inference-schema add a format, and we say what is required. This
    # service answers plain HTTP without keys, in its first revision, and its document says so.
    bearer = {"type": "apiKey", "name": "Authorization", "in": "header", "description": "For example: Bearer abc123"}
    assert dict(differences(printed, served)) == {
        ".info.description": (
            "API specification for Azure Machine Learning myservice",
            "What the service myservice takes and answers",
        ),
        ".info.version": ("1.0", "1"),
        ".schemes": (["https"], None),
        ".securityDefinitions": ({"Bearer": bearer}, None),
        ".paths./score.post.security": ([{"Bearer": []}], None),
        ".definitions.ServiceInput.properties.data.format": (None, "numpy.ndarray"),
        ".definitions.ServiceOutput.format": (None, "numpy.ndarray"),
        ".definitions.ServiceInput.required": (None, ["data"]),
    }


def differences(printed: Any, served: Any, at: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Where two documents differ, and what each has there."""
    if isinstance(printed, dict) and isinstance(served, dict):
        for name in {**printed, **served}:
            yield from differences(printed.get(name), served.get(name), f"{at}.{name}")
    elif printed != served:
        yield at, (printed, served)


@then("e4182642")
def downloading(at: Reader, text: str) -> None:
    at.python(text)
    assert at.value("open(model_path, 'rb').read() == open('outputs/sklearn_mnist_model.pkl', 'rb').read()")


@then("7c85fabc")
def downloading_from_the_shell(at: Reader, text: str) -> None:
    at.az(text)
    kept = (at.folder / "model_folder" / "sklearn_mnist_model.pkl").read_bytes()
    assert kept == (at.folder / "outputs" / "sklearn_mnist_model.pkl").read_bytes()
