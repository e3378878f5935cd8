"""An image's list of contents holds to CycloneDX's own schema."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from sendoff.packaging.base_image import BaseImage
from sendoff.packaging.sbom import sbom
from sendoff.spec.bundle import Bundle, BundleEnvironment, BundleModel, BundleService, ServingSettings
from sendoff.spec.environment import Lock

CONDA: dict[str, Any] = {
    "name": "libgcc-ng",
    "version": "1!13.2.0",
    "build": "h807b86f_5",
    "subdir": "linux-64",
    "url": "https://conda.example/linux-64/libgcc-ng-13.2.0-h807b86f_5.conda",
    "sha256": "ab" * 32,
}


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    """The schema of CycloneDX 1.5 and those that it refers to, as the project's own library brings them."""
    found = importlib.util.find_spec("cyclonedx")
    if found is None or found.origin is None:
        pytest.skip("the schema comes with cyclonedx-python-lib: make setup")
    folder = Path(found.origin).parent / "schema" / "_res"
    texts = {name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text()) for name in ("spdx", "jsf-0.82")}
    known: list[tuple[str, Resource[Any]]] = []
    for name, text in texts.items():
        resource = Resource.from_contents(text, default_specification=DRAFT7)
        known += [(text["$id"], resource), (f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", resource)]
    main = json.loads((folder / "bom-1.5.SNAPSHOT.schema.json").read_text())
    return Draft7Validator(main, registry=Registry().with_resources(known), format_checker=FormatChecker())


def document(**changes: Any) -> dict[str, Any]:
    base = BaseImage(
        reference="python:3.11-slim",
        id="sha256:" + "12" * 32,
        config={},
        diff_ids=[],
        architecture="amd64",
        os="linux",
        packages=[("libc6", "2.36-9+deb12u4"), ("libstdc++6", "12.2.0-14")],
        system="debian 12",
    )
    lock = Lock(
        digest="x",
        python="/usr/bin/python3",
        python_version="3.11.7",
        platform="linux",
        method="pip",
        requirements=f"numpy==2.1.0 \\\n    --hash=sha256:{'cd' * 32}\nscikit_learn==1.5.0+local.1 \\\n"
        f"    --hash=sha256:{'ef' * 32} \\\n    --hash=sha256:{'01' * 32}\n",
        conda_records=[CONDA],
    )
    bundle = Bundle(
        schema_version=1,
        service=BundleService(name="my-service", version="2"),
        app_root="app",
        entry_script="score.py",
        source_directory=None,
        models=[BundleModel(name="m", version=3, path="azureml-models/m/3")],
        model_dir=None,
        environment=BundleEnvironment(name="e", version="1", lock_digest="x"),
        serving=ServingSettings(),
    )
    given = {"base": base, "bundle": bundle, "lock": lock, "front": {"sendoff-serving": "0.1.0"}, "python": "3.11.7"}
    found: dict[str, Any] = json.loads(sbom(**{**given, **changes}))
    return found


def test_the_list_of_an_image_holds_to_the_schema(schema: Draft7Validator) -> None:
    made = document()
    assert [error.message for error in schema.iter_errors(made)] == []
    assert {one["bom-ref"] for one in made["components"]} >= {
        *("base", "front:sendoff-serving", "environment:numpy", "conda:libgcc-ng", "model:m:3"),
        "deb:libstdc++6@12.2.0-14",
    }


def test_so_does_the_list_of_an_image_with_nothing_of_the_users(schema: Draft7Validator) -> None:
    assert list(schema.iter_errors(document(lock=None, front={}))) == []


def test_every_part_can_be_referred_to_by_a_name_of_its_own() -> None:
    names = [one["bom-ref"] for one in document()["components"]]
    assert len(names) == len(set(names))


def test_the_schema_finds_what_is_wrong(schema: Draft7Validator) -> None:
    made = document()
    made["components"][0]["type"] = "thing"
    made["components"][1]["hashes"] = [{"alg": "SHA-256", "content": "short"}]
    assert len(list(schema.iter_errors(made))) == 2
