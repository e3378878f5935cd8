"""``inferenceconfig.json`` as ``az ml`` reads it, in its old and its new shape (spec/behaviour.md sec. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, NotSupported
from .environment import DockerSpec, EnvironmentSpec
from .environment_files import environment_from_value, load
from .parse import Spec, did_you_mean, not_a_mapping, replace, shown, text_of
from .values import as_bool, as_text, as_text_map, fold

CUDA_VERSIONS = ("9.0", "9.1", "10.0")
RUNTIMES = ("python", "python-slim")
_OLD = ("runtime", "condaFile", "extraDockerfileSteps", "enableGpu", "cudaVersion", "baseImage", "baseImageRegistry")
_KEYS = ("entryScript", "sourceDirectory", "environment", "description", *_OLD, "schemaFile")


class InferenceFile(Spec):
    """An inference configuration file's content, with local paths.

    ``source_directory`` is absolute; ``entry_script`` is as written below it, or absolute when there is no source
    directory. ``environment`` is None when the file names none: flags then name a registered one.
    """

    entry_script: str
    source_directory: str | None
    environment: EnvironmentSpec | None
    description: str = ""
    notes: list[str] = []


def parse_inference(data: Any, *, where: str, folder: Path, cwd: Path) -> InferenceFile:
    """The content of an inference configuration file, already parsed from JSON or YAML.

    Relative paths start from the working directory, as the old command line had it; where nothing is there, from the
    file's own folder.

    Args:
        data: The mapping.
        where: What the file is called in an error.
        folder: The file's folder.
        cwd: The working directory.

    Raises:
        InvalidInput: It has an unknown key (the nearest is named) or a wrong value, or names something that does not
            exist: the error lists where was looked.
    """
    fields = _fields(data, where)
    notes: list[str] = []
    environment: EnvironmentSpec | None
    script = fields.get("entryScript")
    if script is None or script == "":
        raise InvalidInput(
            f"{where}: entryScript is missing",
            hint='Write "entryScript": "score.py".',
            where=where,
            field="entryScript",
        )
    entry_script = as_text(script, where, "entryScript")
    bases = list(dict.fromkeys([cwd.absolute(), folder.absolute()]))
    source = fields.get("sourceDirectory")
    source_directory: Path | None = None
    if source not in (None, ""):
        given = as_text(source, where, "sourceDirectory")
        source_directory = _find(given, bases, where, "sourceDirectory", folder_wanted=True)
        _find(entry_script, [source_directory], where, "entryScript", folder_wanted=False)
        bases = [source_directory, *bases]
    else:
        entry_script = str(_find(entry_script, bases, where, "entryScript", folder_wanted=False))
    if fields.get("schemaFile") is not None:
        notes.append(f"{where}: schemaFile has no effect: the script's schema decorators are what counts.")
    if fields.get("environment") is not None:
        ignored = [key for key in _OLD if fields.get(key) not in (None, "")]
        if ignored:
            notes.append(f"{where}: {', '.join(ignored)} have no effect beside environment.")
        environment = _environment(fields["environment"], where, bases, notes)
    else:
        environment = _old_environment(fields, where, bases, notes)
    description = fields.get("description")
    return InferenceFile(
        entry_script=entry_script,
        source_directory=None if source_directory is None else str(source_directory),
        environment=environment,
        description="" if description is None else as_text(description, where, "description"),
        notes=notes,
    )


def parse_environment(data: Mapping[str, Any], *, where: str, cwd: Path, notes: list[str]) -> EnvironmentSpec | None:
    """The environment of an inference configuration of 2019's shape that names no script; None where it has none."""
    return _old_environment(_fields(data, where), where, [cwd.absolute()], notes)


def _fields(data: Any, where: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise not_a_mapping(
            data,
            where=where,
            expected="a mapping with 'entryScript'",
            hint='The least is {"entryScript": "score.py"}, with an environment or a condaFile.',
        )
    by_fold = {fold(key): key for key in _KEYS}
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = by_fold.get(fold(key))
        if name is None:
            hint = did_you_mean(str(key), _KEYS, f"Known keys: {', '.join(_KEYS)}.")
            raise InvalidInput(f"{where}: unknown key {key!r}", hint=hint, where=where, field=str(key))
        if name in found and value is not None and found[name] not in (None, value):
            raise InvalidInput(f"{where}: {key!r} is there twice", where=where, field=str(key))
        if value is not None or name not in found:
            found[name] = value
    return found


def _find(given: str, bases: list[Path], where: str, field: str, *, folder_wanted: bool | None) -> Path:
    looked = list(dict.fromkeys(base / given for base in bases))
    for place in looked:
        try:
            found = place.exists() if folder_wanted is None else place.is_dir() if folder_wanted else place.is_file()
            if found:
                return place
        except (OSError, ValueError):
            continue
    places = " and ".join(str(place) for place in looked)
    what = "folder" if folder_wanted else "file"
    raise InvalidInput(
        f"{where}: {field}: there is no {what} {given!r}",
        hint=f"Looked for {places}.",
        where=where,
        field=field,
        missing=given,
    )


def _environment(value: Any, where: str, bases: list[Path], notes: list[str]) -> EnvironmentSpec:
    """The new shape; ``condaDependenciesFile`` is looked for in each place as the other paths are."""
    base = bases[0]
    python = _inner(value, "python")
    file = _inner(python, "condaDependenciesFile")
    if isinstance(file, str) and file and _inner(python, "condaDependencies") is None:
        path = _find(file, bases, where, "environment.python.condaDependenciesFile", folder_wanted=False)
        base = next(candidate for candidate in bases if candidate / file == path)
    return environment_from_value(
        value, where=where, base=base, notes=notes, at="environment", name=_default_name(where)
    )


def _inner(value: Any, key: str) -> Any:
    if not isinstance(value, Mapping):
        return None
    return next((inner for name, inner in value.items() if fold(name) == fold(key)), None)


def _default_name(where: str) -> str:
    return Path(where).stem or "inference"


def _old_environment(fields: dict[str, Any], where: str, bases: list[Path], notes: list[str]) -> EnvironmentSpec | None:
    """The shape of 2019: runtime, conda file and image, which make an environment of their own."""
    given = {key: fields[key] for key in _OLD if fields.get(key) not in (None, "")}
    if not given:
        return None
    runtime = as_text(given.get("runtime", "python"), where, "runtime").lower()
    if runtime == "spark-py":
        raise NotSupported(
            f"{where}: runtime spark-py is not supported",
            hint="Give an environment with pyspark and runtime python.",
            where=where,
            field="runtime",
        )
    if runtime not in RUNTIMES:
        raise InvalidInput(
            f"{where}: runtime has to be python, not {shown(runtime)}", where=where, field="runtime", expected="python"
        )
    name = _default_name(where)
    spec = EnvironmentSpec(name=name)
    if "condaFile" in given:
        file = as_text(given["condaFile"], where, "condaFile")
        spec = load(_find(file, bases, where, "condaFile", folder_wanted=None), name=name, notes=notes)
    docker = _docker(given, where, bases)
    return spec if docker == DockerSpec() else replace(spec, docker=docker)


def _docker(given: dict[str, Any], where: str, bases: list[Path]) -> DockerSpec:
    docker = DockerSpec()
    if "enableGpu" in given:
        docker = replace(docker, gpu_support=as_bool(given["enableGpu"], where, "enableGpu"))
    if "cudaVersion" in given:
        version = as_text(given["cudaVersion"], where, "cudaVersion")
        # A bare 10.0 of YAML or JSON is the number ten.
        version = f"{version}.0" if version in ("9", "10") else version
        if version not in CUDA_VERSIONS:
            raise InvalidInput(
                f"{where}: cudaVersion has to be one of {', '.join(CUDA_VERSIONS)}, not {shown(version)}",
                where=where,
                field="cudaVersion",
            )
    if "baseImage" in given:
        docker = replace(docker, base_image=as_text(given["baseImage"], where, "baseImage"), enabled=True)
    if "baseImageRegistry" in given:
        value = given["baseImageRegistry"]
        address = {"address": value} if isinstance(value, str) else as_text_map(value, where, "baseImageRegistry")
        docker = replace(docker, base_image_registry=dict(address))
    if "extraDockerfileSteps" in given:
        file = as_text(given["extraDockerfileSteps"], where, "extraDockerfileSteps")
        path = _find(file, bases, where, "extraDockerfileSteps", folder_wanted=False)
        try:
            docker = replace(docker, extra_steps=text_of(path.read_bytes()))
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{where}: extraDockerfileSteps: {path} cannot be read: {error}", where=where) from None
    return docker
