"""An inference configuration made from a registered model alone, or from a model and the user's hooks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from ..errors import InvalidInput
from ..registry.imports import SAFE, verdict
from ..spec.environment import EnvironmentSpec, PythonSpec
from ..spec.inference import InferenceSpec, NoCode, SourceSpec
from ..spec.model import ManifestFile, Model
from ..spec.parse import replace
from ..spec.settings import Settings
from ..store.blobs import BlobStore
from .contents import check_contents
from .files import main_file
from .recipe import Given, Recipe
from .recipes import framework_of, recipe_for
from .versions import package_of

FOLDER = "sendoff_no_code"
ENTRY = f"{FOLDER}/entry.py"
_FINDINGS_KEPT = 200
"""As many findings as a scan keeps; of a pickle with more the imports are not all known."""


def compose(
    models: Sequence[Model],
    *,
    blobs: BlobStore,
    settings: Settings,
    pythons: Callable[[], Iterable[str]],
    hooks: SourceSpec | None = None,
    environment: EnvironmentSpec | None = None,
    cpu: float | None = None,
) -> tuple[InferenceSpec, list[str]]:
    """Make the entry script's files and the environment of a model that is served without code.

    Args:
        models: The one model.
        blobs: Where its files are, and where the script's go.
        settings: The home's; the pickle policy is among them.
        pythons: Gives the versions of the Pythons on this machine.
        hooks: The user's files with ``preprocess()`` or ``postprocess()``.
        environment: The user's own packages beside the framework's; its Python holds where it names one.
        cpu: Cores that the deployment asks for.

    Returns:
        The configuration, and notes for the timeline.

    Raises:
        InvalidInput: It is not one model, its framework is none that can be served so, or nothing that can be
            installed would load it; all of it before anything starts.
    """
    if len(models) != 1:
        raise InvalidInput(
            f"one model can be served without an entry script; {len(models)} are given",
            hint="Name one model, or give an entry script and an environment (InferenceConfig, --ic).",
            field="models",
        )
    (model,) = models
    framework = framework_of(model)
    main = main_file(model)
    given = Given(
        main=main,
        pythons=list(pythons()),
        beside=_modules(hooks),
        hooks=hooks is not None,
        read=lambda path: _read(model, blobs, path),
    )
    recipe = recipe_for(model, given)
    check_contents(model, framework, main, blobs)
    config = {
        "framework": recipe.adapter,
        "name": model.name,
        "version": model.version,
        "file": main,
        "framework_version": recipe.version,
        "hooks": hooks.entry_script if hooks is not None else None,
        "imports": _allowed_imports(model, settings),
        "old_joblib": any(one.imported.startswith("sklearn.externals.joblib.") for one in model.scan.findings),
        "cpu": cpu,
        **recipe.settings,
    }
    files = _script_files(blobs, config)
    if hooks is not None:
        _check_places(hooks)
    source = SourceSpec(
        entry_script=ENTRY,
        source_directory=hooks.source_directory if hooks is not None else None,
        files=[*(hooks.files if hooks is not None else []), *files],
    )
    spec = _environment(framework, recipe, environment)
    no_code = NoCode(framework=framework, version=recipe.version, hooks=hooks, environment=environment)
    notes = [
        f"No entry script: {model.id} is served as a {framework} model on Python {_python_of(spec) or recipe.python}.",
        *recipe.notes,
    ]
    return InferenceSpec(source=source, environment=spec, no_code=no_code), notes


def _script_files(blobs: BlobStore, config: dict[str, object]) -> list[ManifestFile]:
    folder = Path(__file__).parent / "scoring"
    contents = {path.name: path.read_bytes() for path in sorted(folder.glob("*.py"))}
    contents["model.json"] = json.dumps(config, indent=1, sort_keys=True).encode()
    found = []
    for name, content in contents.items():
        digest, size = blobs.put_bytes(content)
        found.append(ManifestFile(path=f"{FOLDER}/{name}", digest=digest, size=size))
    return found


def _environment(framework: str, recipe: Recipe, own: EnvironmentSpec | None) -> EnvironmentSpec:
    named = f"{framework}-{recipe.version}" if recipe.version else framework
    name = f"no-code-{''.join(letter if letter.isalnum() or letter in '.-' else '-' for letter in named)}"
    python = PythonSpec(
        channels=[], conda_packages=[f"python={recipe.python}"], pip_packages=list(dict.fromkeys(recipe.packages))
    )
    if own is None:
        return EnvironmentSpec(name=name, python=python)
    if own.python.user_managed_dependencies:
        return replace(own, version=None)  # the user answers for what is in it
    listed = {package_of(line) for line in (*own.python.pip_packages, *own.python.conda_packages)}
    added = [line for line in python.pip_packages if package_of(line) not in listed]
    conda = own.python.conda_packages
    if "python" not in listed:
        conda = [*conda, *python.conda_packages]
    merged = replace(own.python, conda_packages=conda, pip_packages=[*own.python.pip_packages, *added])
    return replace(own, version=None, python=merged)


def _python_of(spec: EnvironmentSpec) -> str:
    for line in spec.python.conda_packages:
        if package_of(line) == "python":
            return line.partition("python")[2].strip("= ")
    return ""


def _allowed_imports(model: Model, settings: Settings) -> list[str] | None:
    """The names that the model's pickles may import when they are loaded; None for any (policy ``warn``).

    Raises:
        InvalidInput: The policy does not allow what the scan found.
    """
    policy = settings.pickle_policy
    if policy == "warn" or model.scan.verdict == "none":
        return None
    findings = model.scan.findings
    if model.scan.verdict == "unreadable" or len(findings) >= _FINDINGS_KEPT:
        raise InvalidInput(
            f"model {model.id} holds a pickle whose imports are not all known ({model.scan.detail or 'too many'})",
            hint=f"The setting pickle_policy is {policy!r}. Save the model in a form that is no pickle, such as ONNX.",
            field="models",
        )
    refused = sorted({one.imported for one in findings if not _allowed(one.imported, one.verdict, settings)})
    if refused:
        raise InvalidInput(
            f"model {model.id} holds a pickle that imports {', '.join(refused[:8])}",
            hint=f"The setting pickle_policy is {policy!r}. "
            + (
                "Add what you trust to the setting pickle_allow."
                if policy == "allow-list"
                else "Save the model without them, or change the setting."
            ),
            field="models",
            imports=refused,
        )
    return sorted({one.imported for one in findings})


def _allowed(name: str, found: str, settings: Settings) -> bool:
    if settings.pickle_policy == "deny":
        return found != "dangerous"
    if verdict(name) == SAFE:
        return True
    return any(name == one or name.startswith(f"{one}.") for one in settings.pickle_allow)


def _modules(hooks: SourceSpec | None) -> list[str]:
    """Import names of the user's own files."""
    if hooks is None:
        return []
    top = f"{hooks.source_directory}/" if hooks.source_directory else ""
    below = [file.path.removeprefix(top) for file in hooks.files]
    return [PurePosixPath(path).parts[0].removesuffix(".py") for path in below]


def _check_places(hooks: SourceSpec) -> None:
    for file in hooks.files:
        if PurePosixPath(file.path).parts[0] in (FOLDER, f"{FOLDER}.py"):
            raise InvalidInput(f"source file {file.path!r}: the name {FOLDER!r} is taken", field="source_directory")


def _read(model: Model, blobs: BlobStore, path: str) -> bytes:
    for file in model.files:
        if file.path == path:
            return blobs.read_bytes(file.digest)
    raise InvalidInput(f"model {model.id} has no file {path!r}", field="models")
