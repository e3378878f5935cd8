"""The article from models without code to its end: packages, containers, raw requests, CORS."""

from __future__ import annotations

import contextlib
import functools
import json
import re

import article_data
import yaml
from article_models import Step, deployed, step
from article_reader import Reader
from article_samples import corrected
from article_services import ROWS, predictions
from registry_rig import SECRET, USER, certificate, htpasswd, registry

STEPS: list[Step] = []
then = functools.partial(step, STEPS)


@then("ab4863c9")
def tensorflow_without_code(at: Reader, text: str) -> None:
    article_data.make(article_data.TENSORFLOW, article_data.FLOWERS, folder=at.folder)
    at.python(f"{text}\nservice.wait_for_deployment(show_output=True)")
    answer = at.post(at.value("service.scoring_uri"), {"instances": [[1.0, 2.0]]}).value
    assert answer == {"predictions": [[2.0, 3.0]]}
    at.python("service.delete()")


@then("4b56b0ab")
def onnx_without_code(at: Reader, text: str) -> None:
    at.python(f"{text}\nservice.wait_for_deployment(show_output=True)")
    image = [[[[float(4 * row + column) for column in range(4)] for row in range(4)]]]
    answer = at.post(at.value("service.scoring_uri"), {"data": image})
    assert answer.status == 200, answer
    assert list(map(float, range(10))) in _lists(answer.value)
    at.python("service.delete()")


def _lists(value: object) -> list[list[object]]:
    """Every list within a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [value] if isinstance(value, list) else []
    return found + [one for part in inner for one in _lists(part)]


@then("39288b1d")
def scikit_learn_without_code(at: Reader, text: str) -> None:
    at.python(f"{text}\nservice.wait_for_deployment(show_output=True)")
    assert at.value("[service.state, model.resource_configuration.cpu]") == ["Healthy", 1.0]


@then("3640b2bd")
def asking_it(at: Reader, text: str) -> None:
    (answer,) = json.loads(at.python(text))
    assert 100 < answer < 300  # the disease's progression after a year, of a patient of the data set


@then("14bf0732")
def the_packages_of_its_environment(at: Reader, text: str) -> None:
    named = {one.partition("[")[0].strip() for one in yaml.safe_load(text)}
    name, _, _ = at.sendoff("service", "show", "-n", "my-sklearn-service").data["environmentName"].rpartition(":")
    environment = at.sendoff("environment", "show", "-n", name).data
    packages = environment["python"]["condaDependencies"]["dependencies"][-1]["pip"]
    # The other two were for Azure's server and its schemas; ours makes the schema from the model.
    assert named - {re.split("[=<>]", one)[0] for one in packages} == {"azureml-defaults", "inference-schema"}


@then("40387216")
def packaging(at: Reader, text: str) -> None:
    # `model` is the one without code by now; the entry script is for the first one.
    at.python("without_code, model = model, Model(ws, 'mymodel')")
    at.python(text)
    assert at.value("package.state") == "Succeeded"
    at.images.append(at.value("package.location"))


@then("49c120e1")
def pulling(at: Reader, text: str) -> None:
    assert at.images[-1] in at.python(text)


@then("700e61ec")
def listing_images(at: Reader, text: str) -> None:
    repository, _, tag = at.images[-1].rpartition(":")
    rows = [line.split() for line in at.docker(text).out.splitlines()]
    assert [repository, tag] in [row[:2] for row in rows]


@then("51de7c32")
def the_list_of_images(at: Reader, text: str) -> None:
    """What the command before prints: no sample."""


@then("700e61ec")
def finding_the_image_id(at: Reader, text: str) -> None:
    assert at.docker(f"{text} --quiet {at.images[-1]}").out.strip()


@then("2c8a1c9a")
def running_the_image(at: Reader, text: str) -> None:
    image = at.docker(f"docker images --quiet {at.images[-1]}").out.strip()
    run(at, corrected(text, ("<imageid>", image)))
    predictions(at.post(f"http://localhost:{at.port(6789)}/score", {"data": ROWS}).value)
    # The next container takes the same name and port.
    at.kill()


def run(at: Reader, line: str) -> None:
    """A ``docker run`` line, with a free port of this machine alone and a name that no other run of the tests has."""
    at.docker_run(
        corrected(line, ("6789:5001", f"127.0.0.1:{at.port(6789)}:5001"), ("mycontainer", at.tag)), at.port(6789)
    )


@then("44b21fbe")
def packaging_as_a_folder(at: Reader, text: str) -> None:
    printed = at.python(text)
    assert (at.folder / "imagefiles" / "Dockerfile").is_file()
    assert "Password: None" in printed  # secrets stay with Docker's own configuration


@then("906002f8")
def where_images_go(at: Reader, text: str) -> None:
    assert at.value(f"({text}).address") == "docker.io"  # the base image's, whose name has no other


@then("f110d17f")
def signing_in_at_a_registry(at: Reader, text: str) -> None:
    folder = at.folder.parent / "registry"
    with registry(folder, certificate(folder), htpasswd(folder)) as address:
        given = ("<address>", address), ("<username>", USER), ("<password>", SECRET)
        assert "Login Succeeded" in at.docker(corrected(text, *given)).out
        at.docker(f"docker logout {address}")


@then("5fc2c301")
def saving_the_folder(at: Reader, text: str) -> None:
    """The sentence names the call of the sample before; its folder has files in it by now."""
    assert "output_directory" in at.refused(text)
    assert "has files in it" in at.refused("package.save('imagefiles')")


@then("1614cbb2")
def building_the_folder(at: Reader, text: str) -> None:
    at.docker(corrected(text, ("myimage", at.tag), ("<imagefiles>", "imagefiles")))
    at.images.append(f"{at.tag}:latest")


STEPS.append(Step("700e61ec", listing_images))


@then("96cf831f")
def the_list_with_the_new_image(at: Reader, text: str) -> None:
    """What the command before prints: no sample."""


@then("7f5dc9ad")
def running_the_built_image(at: Reader, text: str) -> None:
    run(at, corrected(text, ("myimage", at.tag)))


@then("007cce0d")
def a_client_of_the_container(at: Reader, text: str) -> None:
    predictions(json.loads(at.python(corrected(text, ("localhost:6789", f"localhost:{at.port(6789)}")))))


@then("16ab939f")
def stopping_the_container(at: Reader, text: str) -> None:
    at.docker(corrected(text, ("mycontainer", at.tag)))
    assert at.containers[-1].wait(60) != 0
    with contextlib.suppress(OSError):
        at.ask("GET", f"http://127.0.0.1:{at.port(6789)}/")
        raise AssertionError("the container still answers")


@then("ca562e7f")
def deleting_a_service(at: Reader, text: str) -> None:
    at.python(text)
    assert "my-sklearn-service" not in at.value("list(ws.webservices)")


@then("563dd295")
def deleting_a_model(at: Reader, text: str) -> None:
    at.python(f"model = without_code\n{text}")
    assert "my-sklearn-model" not in at.value("list(ws.models)")


def script(at: Reader, text: str) -> str:
    """The address of a service that runs the script in this Python."""
    at.write("score.py", text)
    return deployed(
        at,
        "tried = Model.deploy(ws, 'raw', [], InferenceConfig('score.py', environment=here), "
        "LocalWebservice.deploy_configuration(), overwrite=True)",
    )


@then("c87a547a")
def raw_requests(at: Reader, text: str) -> None:
    address = script(at, text)
    assert at.ask("GET", f"{address}?a=1").body == b"/score?a=1"
    assert at.ask("POST", address, b"\x00\xff", Content_Type="application/octet-stream").body == b"\x00\xff"


@then("c0354809")
def installing_the_classes(at: Reader, text: str) -> None:
    """Nothing to install: the names come with ours, for trying a script out, and with the worker that runs it."""
    at.python("from azureml.contrib.services.aml_request import AMLRequest, rawhttp")
    assert at.value("AMLRequest.__module__").startswith("sendoff_serving.")


@then("5d0f3b1a")
def a_client_that_sends_a_picture(at: Reader, text: str) -> None:
    at.write("example.jpg", bytes(range(256)))
    filled = corrected(text, ("<scoring-uri>", at.value("tried.scoring_uri")))
    assert "name 'request' is not defined" in at.refused(filled)
    at.python(corrected(filled, ("request.post", "requests.post")))
    assert at.value("[res.status_code, list(res.content)]") == [200, list(range(256))]


@then("b27befa5")
def cross_origin_requests(at: Reader, text: str) -> None:
    # As printed run() asks a text for its method: the error says which line is missing.
    wrong = at.post(script(at, text), {"data": 1})
    assert wrong.status == 500
    assert "@rawhttp" in wrong.value["hint"]
    assert "from azureml.contrib.services.aml_request import rawhttp" in wrong.value["hint"]
    right = script(
        at,
        corrected(
            text,
            ("def run(", "@rawhttp\ndef run("),
            ("import AMLResponse\n", "import AMLResponse\nfrom azureml.contrib.services.aml_request import rawhttp\n"),
        ),
    )
    answer = at.post(right, {"data": 1})
    assert answer.headers["Access-Control-Allow-Origin"] == "http://www.example.com"
    assert answer.value == {"data": 1}
    assert at.ask("GET", f"{right}?a=1").body == b"/score?a=1"


STEPS.append(Step("c0354809", installing_the_classes))
