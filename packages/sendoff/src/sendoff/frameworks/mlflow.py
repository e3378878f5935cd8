"""Model folders of MLflow: the file MLmodel, its flavours, and the environment that was saved with it."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Any

from ..errors import InvalidInput
from ..spec.model import Model
from .recipe import Given, Recipe
from .versions import choose_python, package_of, release_of, requirement

NATIVE = {"sklearn": "sklearn_version", "onnx": "onnx_version", "xgboost": "xgb_version", "lightgbm": "lgb_version"}
"""Flavours that are loaded by their own library, without MLflow, with their key of its version: less to install, and
faster to start."""

PREDICTS = ("predict", "predict_proba", "predict_log_proba")
COLUMNS = ("double", "float", "integer", "long", "boolean", "string", "datetime", "binary", "tensor")
"""Types of columns in a signature that ``scoring.signature`` applies."""

_NOT_NEEDED = re.compile(r"(mlflow|mlflow-skinny)\b(?!-)", re.I)
_TEXT = 1 << 20


def read_mlmodel(text: bytes, where: str) -> dict[str, Any]:
    """The content of an MLmodel file.

    Raises:
        InvalidInput: It is no YAML mapping with flavours.
    """
    import yaml

    from ..spec import yaml_text

    try:
        found = yaml_text.load(text[:_TEXT])
    except yaml.YAMLError as error:
        raise InvalidInput(f"{where} is not YAML: {error}", where=where) from None
    if not isinstance(found, dict) or not isinstance(found.get("flavors"), dict):
        raise InvalidInput(f"{where} names no flavors", hint="Register a folder that MLflow saved.", where=where)
    return found


def mlflow_recipe(model: Model, given: Given) -> Recipe:
    """The recipe of an MLflow folder: by its own flavour where there is one, else by ``python_function``.

    Raises:
        InvalidInput: The folder is not one that Python can load.
    """
    where = f"model {model.id}: {given.main}/MLmodel"
    described = read_mlmodel(given.read(_join(given.main, "MLmodel")), where)
    flavors: dict[str, Any] = described["flavors"]
    function = flavors.get("python_function") or {}
    kept = [line for line in _requirements(model, given) if not _NOT_NEEDED.match(line)]
    settings: dict[str, object] = {
        "signature": described.get("signature"),
        "flavors": flavors,
        "mlflow_version": described.get("mlflow_version"),
    }
    notes: list[str] = []
    native = next((name for name in NATIVE if name in flavors and _is_plain(name, flavors, described)), None)
    if native is not None:
        settings["native"] = native
        settings["method"] = function.get("predict_fn")
        version = str(flavors[native].get(NATIVE[native]) or "") or None
        package = {"sklearn": "scikit-learn", "onnx": "onnxruntime"}.get(native, native)
        release = release_of(package, None if native == "onnx" else version, where)
        if native == "xgboost" and not release.beside:
            kept = [re.sub(r"^xgboost\b", "xgboost-cpu", line) for line in kept]
            package = "xgboost-cpu"
        if not any(package_of(line) == package for line in kept):
            kept.append(requirement(package, None if native == "onnx" else version))
        if native == "onnx":
            kept = [line for line in kept if package_of(line) != "onnx"]  # what writes graphs is not needed to run them
        estimator = _estimator(native, flavors[native])
        settings["estimator"] = estimator
        extra = ["numpy", "pandas", *(["joblib", "cloudpickle"] if native == "sklearn" or estimator else [])]
        extra += ["scikit-learn"] if estimator else []
    elif function:
        version = str(described.get("mlflow_version") or "") or None
        release = release_of("mlflow-skinny", version, where)
        kept = [requirement("mlflow-skinny", version), *kept]
        extra = ["pandas", "numpy", "cloudpickle"]
        if not (described.get("signature") or {}).get("inputs"):
            notes.append(
                f"{where} has no signature: neither names nor types of its columns are known, and its predict() is "
                "given what a request sends, in the order in which it comes."
            )
    else:
        listed = ", ".join(flavors) or "none"
        raise InvalidInput(
            f"{where} has no flavour that Python can load; it has: {listed}",
            hint="Save it with a flavour of Python's, or deploy it with an entry script.",
            field="models",
        )
    python = choose_python(release, str(function.get("python_version") or "") or None, given.pythons)
    names = {package_of(line) for line in kept}
    kept += [name for name in extra if name not in names]
    return Recipe(adapter="mlflow", python=python, packages=kept, version=version, settings=settings, notes=notes)


def _is_plain(native: str, flavors: dict[str, Any], described: dict[str, Any]) -> bool:
    """Whether a folder says nothing that MLflow alone would apply: else it is loaded through MLflow."""
    flavor, function = flavors[native] or {}, flavors.get("python_function") or {}
    if not isinstance(flavor, dict) or not isinstance(function, dict):
        return False
    if function.get("code") or flavor.get("code"):
        return False  # modules beside the model
    if flavor.get("serialization_format") not in (None, "pickle", "cloudpickle"):
        return False
    if function.get("predict_fn", "predict") not in PREDICTS:
        return False
    if _estimator(native, flavor) is None and not str(flavor.get("model_class") or "Booster").endswith("Booster"):
        return False
    signature = described.get("signature")
    return signature is None or (isinstance(signature, dict) and _all_known(signature))


def _all_known(signature: dict[str, Any]) -> bool:
    """Whether the signature's columns are of types that the worker knows."""
    try:
        inputs = json.loads(signature.get("inputs") or "[]")
    except (TypeError, ValueError):
        return False
    if signature.get("params") or not isinstance(inputs, list):
        return False
    return all(isinstance(one, dict) and one.get("type") in COLUMNS for one in inputs)


def _estimator(native: str, flavor: dict[str, Any]) -> str | None:
    """The class of a booster's flavour that is an estimator: XGBClassifier and its like answer otherwise."""
    module, _, name = str(flavor.get("model_class") or "").rpartition(".")
    return name if module == f"{native}.sklearn" and native in ("xgboost", "lightgbm") else None


def _requirements(model: Model, given: Given) -> list[str]:
    """The packages that were saved with the folder, as ``requirements.txt`` has them."""
    path = _join(given.main, "requirements.txt")
    if not any(file.path == path for file in model.files):
        return []
    lines = given.read(path).decode("utf-8", "replace").splitlines()
    plain = [line.split("#")[0].strip() for line in lines]
    return [line for line in plain if line and not line.startswith("-")]


def _join(folder: str, name: str) -> str:
    return str(PurePosixPath(folder) / name)
