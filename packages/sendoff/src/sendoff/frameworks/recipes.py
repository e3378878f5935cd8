"""What each framework's model is loaded with: its adapter in ``scoring/``, its packages, its Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from packaging.version import Version

from ..errors import InvalidInput
from ..registry.framework_files import PACKAGES
from ..spec.model import Model
from .files import is_pickle
from .mlflow import mlflow_recipe
from .modules import packages_for
from .recipe import Given, Recipe
from .versions import choose_python, release_of, requirement

_LABELS = {**PACKAGES, "Onnx": "onnx"}


def framework_of(model: Model) -> str:
    """The framework's name as packages have it, such as ``scikit-learn``.

    Raises:
        InvalidInput: A model of that framework needs an entry script.
    """
    label = _LABELS.get(model.framework)
    if label is not None:
        return label
    looks = _guess(model)
    like = "" if looks is None else ", which it looks like"
    name = looks or "ScikitLearn"
    raise InvalidInput(
        f"model {model.id} is registered with framework {model.framework}, which cannot be served without code",
        hint="Give an InferenceConfig with an entry script and an environment; or say what the model is, with "
        f"model.update(model_framework={name!r}){like}.",
        typed="Give an entry script and an environment (--es and -e, or --ic); or say what the model is: "
        f"sendoff model update -i {model.id} --model-framework {name}{like}",
        field="models",
    )


def _guess(model: Model) -> str | None:
    names = {file.path.rpartition("/")[2].lower() for file in model.files}
    if "mlmodel" in names:
        return "MLflow"
    if "saved_model.pb" in names:
        return "TensorFlow"
    if any(name.endswith(".onnx") for name in names):
        return "Onnx"
    if any(name.endswith((".pt2", ".pt")) for name in names):
        return "PyTorch"
    return "ScikitLearn" if "scikit-learn" in model.detected else None


def recipe_for(model: Model, given: Given) -> Recipe:
    """The recipe of a model.

    Raises:
        InvalidInput: Nothing that can be installed would load it.
    """
    makers: dict[str, Callable[[Model, Given], Recipe]] = {
        "scikit-learn": _scikit_learn,
        "xgboost": _booster,
        "lightgbm": _booster,
        "onnx": _onnx,
        "tensorflow": _tensorflow,
        "torch": _torch,
        "mlflow": mlflow_recipe,
    }
    return makers[framework_of(model)](model, given)


def stated_version(model: Model, framework: str) -> tuple[str | None, str, list[str]]:
    """The version to install: what the file says, else the label, else None (settled.md, "Framework versions").

    Returns:
        The version, who says so, and a warning where file and label differ.
    """
    label, file = model.framework_version, model.detected.get(framework)
    if file is not None:
        if label is not None and not _same(label, file):
            note = f"Model {model.id} is labelled {framework} {label}, but its file was made by {file}: {file} is used."
            return file, "the file", [note]
        return file, "the file", []
    if label is not None:
        return label, "the label", []
    return None, "", [f"The version of {framework} that made model {model.id} is unknown: the newest is used."]


def _same(label: str, file: str) -> bool:
    return file == label or file.startswith(f"{label}.") or file.split("+")[0] == label


def pickled_packages(model: Model, given: Given) -> list[str]:
    """Packages for what a model's pickle imports; those that scikit-learn itself needs are not among them."""
    imports = [finding.imported for finding in model.scan.findings if finding.path == given.main]
    needed = packages_for(imports, given.beside, where=f"model {model.id}", hooks=given.hooks)
    return ["xgboost-cpu" if name == "xgboost" else name for name in needed]


def _begun(model: Model, given: Given, framework: str) -> Recipe:
    """A release of a framework on a Python; the packages are those that it needs beside itself."""
    version, source, notes = stated_version(model, framework)
    release = release_of(framework, version, source)
    python = choose_python(release, model.detected.get("python"), given.pythons)
    return Recipe(adapter=framework, python=python, packages=release.beside, version=version, notes=notes)


def _scikit_learn(model: Model, given: Given) -> Recipe:
    recipe = _begun(model, given, "scikit-learn")
    packages = [requirement("scikit-learn", recipe.version), "joblib", "pandas", *recipe.packages]
    return replace(recipe, packages=[*packages, *pickled_packages(model, given)])


def _booster(model: Model, given: Given) -> Recipe:
    recipe = _begun(model, given, framework_of(model))
    package = recipe.adapter
    if package == "xgboost" and not recipe.packages:
        package = "xgboost-cpu"  # the same without gigabytes for graphics cards
    packages = [requirement(package, recipe.version), "numpy", *recipe.packages]
    if not is_pickle(given.main):
        return replace(recipe, packages=packages, notes=[*recipe.notes, *_unstated(model, given, recipe)])
    packages += [requirement("scikit-learn", model.detected.get("scikit-learn")), "joblib", "pandas"]
    packages += [name for name in pickled_packages(model, given) if name != package]
    # XGBClassifier and its like have scikit-learn's methods.
    return replace(recipe, adapter="scikit-learn", packages=packages)


def _unstated(model: Model, given: Given, recipe: Recipe) -> list[str]:
    """What a booster's file does not state of its columns, for the timeline."""
    if recipe.adapter != "xgboost":
        return []
    notes = [
        f"Model {model.id}: null and NaN are missing values; another (DMatrix(missing=…)) is not in XGBoost's file."
    ]
    content = given.read(given.main)
    at = content.rfind(b"feature_types")
    kinds = content[at : at + _KINDS] if at >= 0 else b""
    before = recipe.version is not None and Version(recipe.version) < Version("3.1")
    if before and (b'"c"' in kinds or b"\x01c" in kinds):  # JSON, UBJSON
        notes.append(
            f"Model {model.id} has columns of categories, which XGBoost {recipe.version} did not keep in the file: "
            "requests have to send their codes, as training had them."
        )
    return notes


_KINDS = 1 << 16
"""Bytes after the word that are looked at."""


def _onnx(model: Model, given: Given) -> Recipe:
    # Every release of ONNX Runtime runs every older graph: the label is kept, and needs no release of its own.
    release = release_of("onnxruntime", None, "")
    python = choose_python(release, model.detected.get("python"), given.pythons)
    return Recipe(adapter="onnx", python=python, packages=["onnxruntime", "numpy"], version=model.framework_version)


def _tensorflow(model: Model, given: Given) -> Recipe:
    recipe = _begun(model, given, "tensorflow")
    # Releases before 2.1 have no package without graphics cards, but for one.
    small = recipe.version is None or recipe.version == "1.15.0" or Version(recipe.version) >= Version("2.1")
    package = "tensorflow-cpu" if small else "tensorflow"
    return replace(recipe, packages=[requirement(package, recipe.version), *recipe.packages])


def _torch(model: Model, given: Given) -> Recipe:
    if is_pickle(given.main):
        raise InvalidInput(
            f"model {model.id}: {given.main} is a pickle; a PyTorch model is served from a program",
            hint="Write one with torch.export.save(torch.export.export(module, args), 'model.pt2'), or with "
            "torch.jit.save(torch.jit.script(module), 'model.pt').",
            field="models",
        )
    recipe = _begun(model, given, "torch")
    package = requirement("torch", recipe.version and recipe.version.split("+")[0])
    notes = list(recipe.notes)
    if not given.main.lower().endswith(".pt2"):
        notes.append(
            f"Model {model.id}: a TorchScript program does not state the kinds of its inputs: numbers are given as the "
            "floats that its parameters are, as whole ones where it refuses those."
        )
    return replace(recipe, packages=[package, "numpy", *recipe.packages], notes=notes)
