"""The file forms of an environment: conda YAML, pip requirements, ``azureml_environment.json`` and its folder.

Every parser ends in an :class:`EnvironmentSpec` or in :class:`InvalidInput` that names the file, the place in it, what
was expected and what to do. What was accepted but has no effect is said in ``notes``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import files
from ..errors import AlreadyExists, InvalidInput
from . import environment_fields as read
from . import parse
from .environment import AUTO, DockerSpec, EnvironmentSpec, PythonSpec, check_as_of
from .environment_conda import conda_document, conda_from_value, conda_text
from .environment_requirements import requirements_from_text
from .parse import read_text

JSON_FILE, CONDA_FILE, DOCKERFILE = "azureml_environment.json", "conda_dependencies.yml", "BaseDockerfile"


def load(path: Path | str, *, name: str | None = None, notes: list[str] | None = None) -> EnvironmentSpec:
    """Read an environment from any of its forms, told apart by what the file holds.

    Args:
        path: A folder (:func:`load_from_directory`), a conda YAML, a JSON environment, or pip requirements.
        name: Overrides the name in the file.
        notes: Receives a sentence for everything that was accepted and has no effect.

    Raises:
        InvalidInput: Names the file and the place in it.
    """
    path = Path(path)
    if _is_dir(path):
        spec = load_from_directory(path, notes=notes)
    elif not _is_mapping(_text(path, "environment file")) and path.suffix.lower() not in (".yml", ".yaml", ".json"):
        return read_requirements_file(path, name=name or path.stem, notes=notes)
    else:
        value = read.read_value(path, "environment file")
        if isinstance(value, Mapping) and "dependencies" in value:
            return _from_conda(value, path, name, notes)
        if not isinstance(value, Mapping) and path.suffix.lower() != ".json":
            hint = "A conda file has the line 'dependencies:' above its list; pip requirements belong into a .txt file."
            raise parse.not_a_mapping(value, where=str(path), hint=hint)
        spec = environment_from_value(value, where=str(path), base=path.parent, notes=notes, name=name)
    return parse.replace(spec, name=name) if name else spec


def _is_mapping(text: str) -> bool:
    """Whether YAML or JSON with keys begins, which no line of pip requirements can look like."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith(("#", "---", "%"))), "")
    return re.match(r"\s*(\{|[\w\"'-]+\s*:(\s|$))", first) is not None


# What else people hand over: how it is known, what it is, what to do.
_OTHERS = (
    (
        re.compile(r"\A\s*<(!doctype|html)\b", re.IGNORECASE),
        "is a web page, not a list of packages",
        "Fetch the file itself; code hosts have its raw form.",
    ),
    (
        re.compile(r"\A\s*Package\s+Version\b.*\n-+\s+-+"),
        "is the table that `pip list` prints",
        "Write it anew: `pip list --format=freeze > requirements.txt`.",
    ),
    (
        re.compile(r"^@EXPLICIT\s*$|^[\w.-]+=[^=\s]+=[\w.]+\s*$", re.MULTILINE),
        "is a list by `conda list`, of builds for one platform",
        "Write it anew: `conda env export --from-history > environment.yml`, or "
        "`pip list --format=freeze > requirements.txt`.",
    ),
)


def _text(path: Path, what: str) -> str:
    """A file's text.

    Raises:
        InvalidInput: It cannot be read, or it is something else that is taken for a list of packages.
    """
    text = read_text(path, what)
    for known, is_what, hint in _OTHERS:
        if known.search(text):
            raise InvalidInput(f"{what} {path} {is_what}", hint=hint, where=str(path))
    return text


def read_conda_file(path: Path | str, *, name: str | None = None, notes: list[str] | None = None) -> EnvironmentSpec:
    """Read a conda YAML file (``name``, ``channels``, ``dependencies`` with a ``pip:`` list inside).

    Args:
        path: The file; ``-r`` and ``-c`` in its pip lists are relative to it.
        name: The environment's name; the file's own ``name:`` is kept as the conda name, and used when this is None.
        notes: Receives notes.

    Raises:
        InvalidInput: Names the file and the key path.
    """
    path = Path(path)
    _text(path, "conda file")
    return _from_conda(read.read_value(path, "conda file"), path, name, notes)


def read_requirements_file(path: Path | str, *, name: str, notes: list[str] | None = None) -> EnvironmentSpec:
    """Read a pip requirements file; ``-r`` and ``-c`` are followed, relative to the file that names them.

    Args:
        path: The file.
        name: The environment's name.
        notes: Receives notes.

    Raises:
        InvalidInput: Names the file and the line.
    """
    lines = requirements_from_text(_text(Path(path), "requirements file"), where=str(path), base=Path(path).parent)
    return EnvironmentSpec(name=name, python=PythonSpec(pip_packages=lines))


_TOP = (
    *("name", "version", "environmentVariables", "python", "docker", "spark", "databricks", "r"),
    *("inferencingStackVersion", "assetId"),
)
_PYTHON = (
    *("userManagedDependencies", "interpreterPath", "condaDependenciesFile", "condaDependencies"),
    *("baseCondaEnvironment", "asOf"),
)
_DOCKER = (
    *("enabled", "baseImage", "baseDockerfile", "baseImageRegistry", "buildContext", "sharedVolumes", "shmSize"),
    *("arguments", "gpuSupport", "platform", "extraSteps"),
)


def environment_from_value(
    value: Any, *, where: str, base: Path, notes: list[str] | None = None, at: str = "", name: str | None = None
) -> EnvironmentSpec:
    """The JSON environment form (spec/behaviour.md sec. 3.1), already parsed.

    Keys are camelCase in any case. ``condaDependenciesFile`` is relative to ``base``.

    Args:
        value: The mapping.
        where: The file, for errors.
        base: The file's folder.
        notes: Receives notes.
        at: The key path that leads to it (``environment`` within an inference configuration).
        name: The name to use where the mapping has none.

    Raises:
        InvalidInput: Names ``where`` and the key path.
    """
    fields = read.mapping_of(value, _TOP, where, at)
    dot = f"{at}." if at else ""
    named = fields.get("name") or name
    if named is None:
        raise InvalidInput(
            f"{where}: {dot}name is missing", hint="Give the environment a name.", where=where, field=f"{dot}name"
        )
    version = fields.get("version")
    if isinstance(version, int) and not isinstance(version, bool):
        version = str(version)
    python, variables = _python(fields.get("python"), where, f"{dot}python", base, notes)
    stack = fields.get("inferencingStackVersion")
    if stack not in (None, "latest"):
        raise read.wrong(where, f"{dot}inferencingStackVersion", "null or 'latest'", stack)
    return EnvironmentSpec(
        name=read.text_of(named, where, f"{dot}name"),
        version=read.optional_text(version, where, f"{dot}version"),
        python=python,
        docker=_docker(fields.get("docker"), where, f"{dot}docker", base),
        environment_variables={
            **variables,
            **read.strings(fields.get("environmentVariables"), where, f"{dot}environmentVariables"),
        },
        inferencing_stack_version=stack,
        spark=read.plain(fields.get("spark"), where, f"{dot}spark"),
        databricks=read.plain(fields.get("databricks"), where, f"{dot}databricks"),
        r=None if fields.get("r") is None else read.plain(fields["r"], where, f"{dot}r"),
    )


def environment_to_value(spec: EnvironmentSpec, *, conda_file: str | None = None) -> dict[str, Any]:
    """The JSON environment form; ``condaDependencies`` stands inline unless ``conda_file`` names the file for it."""
    docker = spec.docker
    python: dict[str, Any] = {
        "userManagedDependencies": spec.python.user_managed_dependencies,
        "interpreterPath": spec.python.interpreter_path,
        "condaDependenciesFile": conda_file,
        "baseCondaEnvironment": spec.python.base_conda_environment,
    }
    if spec.python.as_of != AUTO:
        python["asOf"] = spec.python.as_of
    if conda_file is None:
        python["condaDependencies"] = conda_document(spec.python)
    value: dict[str, Any] = {
        "name": spec.name,
        "version": spec.version,
        "environmentVariables": dict(spec.environment_variables),
        "python": python,
        "docker": {
            "enabled": docker.enabled,
            "baseImage": docker.base_image,
            "baseDockerfile": docker.base_dockerfile,
            "sharedVolumes": docker.shared_volumes,
            "shmSize": docker.shm_size,
            "arguments": list(docker.arguments),
            "gpuSupport": docker.gpu_support,
            "baseImageRegistry": {
                key: docker.base_image_registry.get(key) for key in ("address", "username", "password")
            },
        },
        "spark": dict(spec.spark),
        "databricks": dict(spec.databricks),
        "inferencingStackVersion": spec.inferencing_stack_version,
    }
    if docker.extra_steps is not None:
        value["docker"]["extraSteps"] = docker.extra_steps
    if spec.r is not None:
        value["r"] = dict(spec.r)
    return value


def save_to_directory(spec: EnvironmentSpec, directory: Path | str, *, overwrite: bool = False) -> list[Path]:
    """Write the folder form: ``azureml_environment.json``, ``conda_dependencies.yml``, perhaps ``BaseDockerfile``.

    Args:
        spec: What to write.
        directory: Made when it does not exist.
        overwrite: False refuses to replace any of these files.

    Returns:
        The files that were written.

    Raises:
        AlreadyExists: One of the files exists and ``overwrite`` is False; nothing was written.
        InvalidInput: The folder cannot be made or written.
    """
    import json

    directory = Path(directory)
    dockerfile = spec.docker.base_dockerfile
    plain = parse.replace(spec, docker=parse.replace(spec.docker, base_dockerfile=None))
    texts = {
        JSON_FILE: json.dumps(environment_to_value(plain, conda_file=CONDA_FILE), indent=4, ensure_ascii=False) + "\n",
        CONDA_FILE: conda_text(spec.python),
    }
    if dockerfile is not None:
        texts[DOCKERFILE] = dockerfile
    try:
        there = [name for name in (*texts, DOCKERFILE) if (directory / name).exists()]
        if there and not overwrite:
            raise AlreadyExists(
                f"{directory} already has {there[0]}",
                hint="Choose another folder, or overwrite it (overwrite=True, --overwrite).",
                path=str(directory / there[0]),
            )
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            files.write(directory / name, text, mode=files.PUBLIC, failure=None)
        if dockerfile is None:
            (directory / DOCKERFILE).unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"folder {directory} cannot be written: {reason}", where=str(directory)) from None
    return [directory / name for name in texts]


def load_from_directory(directory: Path | str, *, notes: list[str] | None = None) -> EnvironmentSpec:
    """Read the folder that :func:`save_to_directory`, or the old tools, wrote.

    Raises:
        InvalidInput: A file is missing or wrong; the message names it.
    """
    directory = Path(directory)
    path = directory / JSON_FILE
    value = read.read_value(path, "environment file")
    spec = environment_from_value(value, where=str(path), base=directory, notes=notes)
    inline = {k.lower(): v for k, v in value.items()}.get("python") or {}
    given = {k.lower() for k, v in inline.items() if v is not None} if isinstance(inline, Mapping) else set()
    conda = directory / CONDA_FILE
    if not given & {"condadependencies", "condadependenciesfile"} and conda.is_file():
        python, variables = conda_from_value(
            read.read_value(conda, "conda file"), where=str(conda), base=directory, notes=notes
        )
        own = spec.python
        python = parse.replace(
            python,
            user_managed_dependencies=own.user_managed_dependencies,
            interpreter_path=own.interpreter_path,
            base_conda_environment=own.base_conda_environment,
            as_of=python.as_of if own.as_of == AUTO else own.as_of,
        )
        spec = parse.replace(spec, python=python, environment_variables={**variables, **spec.environment_variables})
    if spec.docker.base_dockerfile is None and (directory / DOCKERFILE).is_file():
        text = read_text(directory / DOCKERFILE, "Dockerfile", strip_bom=False)
        spec = parse.replace(spec, docker=parse.replace(spec.docker, base_dockerfile=text))
    return spec


def _from_conda(value: Any, path: Path, name: str | None, notes: list[str] | None) -> EnvironmentSpec:
    python, variables = conda_from_value(value, where=str(path), base=path.parent, notes=notes)
    return EnvironmentSpec(name=name or python.conda_name, python=python, environment_variables=variables)


def _python(value: Any, where: str, at: str, base: Path, notes: list[str] | None) -> tuple[PythonSpec, dict[str, str]]:
    fields = read.mapping_of({} if value is None else value, _PYTHON, where, at)
    inline, file = fields.get("condaDependencies"), fields.get("condaDependenciesFile")
    python = PythonSpec()
    variables: dict[str, str] = {}
    if inline is not None:
        if file is not None and notes is not None:
            notes.append(f"{where}: {at}.condaDependenciesFile is ignored, for condaDependencies stands beside it")
        python, variables = conda_from_value(
            inline, where=where, base=base, notes=notes, at=f"{at}.condaDependencies", fold=True
        )
    elif file is not None:
        path = base / read.text_of(file, where, f"{at}.condaDependenciesFile")
        python, variables = conda_from_value(
            read.read_value(path, f"conda file (named by {where}: {at}.condaDependenciesFile)"),
            where=str(path),
            base=path.parent,
            notes=notes,
        )

    as_of = fields.get("asOf")

    def text(key: str) -> str | None:
        return read.optional_text(fields.get(key), where, f"{at}.{key}")

    def truth(key: str) -> bool:
        return read.flag(fields.get(key), where, f"{at}.{key}")

    return parse.replace(
        python,
        user_managed_dependencies=truth("userManagedDependencies"),
        interpreter_path=text("interpreterPath") or PythonSpec().interpreter_path,
        base_conda_environment=text("baseCondaEnvironment"),
        as_of=python.as_of if as_of is None else check_as_of(as_of, where=where, field=f"{at}.asOf"),
    ), variables


def _docker(value: Any, where: str, at: str, base: Path) -> DockerSpec:
    fields = read.mapping_of({} if value is None else value, _DOCKER, where, at)
    default = DockerSpec()

    def text(key: str) -> str | None:
        return read.optional_text(fields.get(key), where, f"{at}.{key}")

    def truth(key: str, absent: bool = False) -> bool:
        return read.flag(fields.get(key), where, f"{at}.{key}", absent)

    if fields.get("buildContext") is not None:
        raise InvalidInput(
            f"{where}: {at}.buildContext is not supported",
            hint="Put the Dockerfile's text into docker.baseDockerfile.",
            where=where,
            field=f"{at}.buildContext",
        )
    registry = fields.get("baseImageRegistry")
    kept = read.mapping_of(
        {} if registry is None else registry,
        ("address", "username", "password", "registryIdentity"),
        where,
        f"{at}.baseImageRegistry",
    )
    image = text("baseImage")
    dockerfile = text("baseDockerfile")
    if image and dockerfile:
        raise InvalidInput(
            f"{where}: {at}.baseImage and {at}.baseDockerfile exclude each other",
            hint="Set one of the two to null.",
            where=where,
            field=f"{at}.baseDockerfile",
        )
    return DockerSpec(
        enabled=truth("enabled"),
        base_image=image,
        base_dockerfile=dockerfile,
        base_image_registry={
            key: read.optional_text(kept.get(key), where, f"{at}.baseImageRegistry.{key}")
            for key in ("address", "username", "password")
            if kept.get(key) is not None
        },
        arguments=read.texts(fields.get("arguments"), where, f"{at}.arguments"),
        shared_volumes=truth("sharedVolumes", default.shared_volumes),
        shm_size=text("shmSize") if "shmSize" in fields else default.shm_size,
        gpu_support=truth("gpuSupport"),
        extra_steps=text("extraSteps"),
    )


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
