"""``inferenceconfig.json`` as ``az ml`` reads it: JSON or YAML, new keys and old (spec/behaviour.md sec. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, NotSupported
from ..spec.parse import nearest, read_file, replace
from ..spec.values import as_bool, as_text, fold

if TYPE_CHECKING:
    from ..spec.environment import EnvironmentSpec

_KEYS = {
    "entryScript": as_text,
    "sourceDirectory": as_text,
    "runtime": as_text,
    "condaFile": as_text,
    "extraDockerfileSteps": as_text,
    "enableGpu": as_bool,
    "cudaVersion": as_text,
    "baseImage": as_text,
    "baseImageRegistry": None,
    "description": as_text,
    "schemaFile": as_text,
    "environment": None,
}
_RUNTIMES = ("python", "python-slim")


class InferenceFile:
    """What a file, or flags in its place, say. Paths are as they were given; :meth:`found` finds them.

    Args:
        path: The file; None when flags alone say everything.
        overrides: Values of flags by the file's key names; None ones are left away.
    """

    def __init__(self, path: str | None, overrides: Mapping[str, Any]) -> None:
        self.where = path or "flags"
        self.folder = Path(path).absolute().parent if path else Path.cwd()
        self.values: dict[str, Any] = _read(path) if path else {}
        self.values.update({key: value for key, value in overrides.items() if value is not None})

    def found(self, path: str, *more: Path) -> Path:
        """A file or folder by its name: within ``more``, the current folder, the file's own folder, in that order."""
        for base in (*more, Path.cwd(), self.folder):
            if (base / path).exists():
                return base / path
        return (more[0] if more else Path.cwd()) / path

    @property
    def source_directory(self) -> Path | None:
        """The folder that goes along, or None when the script stands alone."""
        folder = self.values.get("sourceDirectory")
        return self.found(folder) if folder else None

    @property
    def entry_script(self) -> str:
        """The script: within the source directory, or where it was found.

        Raises:
            InvalidInput: None was named.
        """
        script = self.values.get("entryScript")
        if not script:
            raise InvalidInput(
                f"{self.where}: entryScript is missing: which script scores?",
                hint="Give --es score.py, or entryScript in the inference configuration.",
                where=self.where,
                field="entryScript",
            )
        return str(script) if self.source_directory is not None else str(self.found(str(script)))

    def environment(self, notes: list[str]) -> EnvironmentSpec | None:
        """The environment that the file describes; None when it describes none.

        Raises:
            InvalidInput: It is wrong; names the place.
            NotSupported: A runtime other than Python.
        """
        from ..spec.environment import EnvironmentSpec
        from ..spec.environment_files import environment_from_value, load

        value = self.values.get("environment")
        if value is not None:
            return environment_from_value(
                value, where=self.where, base=self.folder, notes=notes, at="environment", name="inference"
            )
        runtime, conda = self.values.get("runtime"), self.values.get("condaFile")
        if runtime and runtime.lower() not in _RUNTIMES:
            raise NotSupported(f"{self.where}: runtime {runtime!r} is not there", hint="Only python runs.")
        if conda:
            folder = self.source_directory
            spec = load(self.found(conda, *([folder] if folder else [])), notes=notes)
        elif runtime:
            spec = EnvironmentSpec(name="inference")
        else:
            return None
        return self._with_image(spec)

    def _with_image(self, spec: EnvironmentSpec) -> EnvironmentSpec:
        steps = self.values.get("extraDockerfileSteps")
        registry = self.values.get("baseImageRegistry")
        if isinstance(registry, str):
            registry = {"address": registry}
        docker = replace(
            spec.docker,
            base_image=self.values.get("baseImage") or spec.docker.base_image,
            base_image_registry={str(k): None if v is None else str(v) for k, v in (registry or {}).items()},
            gpu_support=bool(self.values.get("enableGpu")) or spec.docker.gpu_support,
            extra_steps=self.found(steps).read_text(encoding="utf-8") if steps else spec.docker.extra_steps,
        )
        return replace(spec, docker=docker)


def _read(path: str) -> dict[str, Any]:
    data = read_file(path, "inference configuration")
    if not isinstance(data, Mapping):
        raise InvalidInput(f"{path}: a mapping with 'entryScript' was expected, not {type(data).__name__}", where=path)
    known = {fold(key): key for key in _KEYS}
    values = {}
    for key, value in data.items():
        name = known.get(fold(key))
        if name is None:
            close = nearest(str(key), list(_KEYS))
            hint = f"Did you mean {close!r}?" if close else f"Known keys: {', '.join(_KEYS)}."
            raise InvalidInput(f"{path}: unknown key {key!r}", hint=hint, where=path, field=str(key))
        if value is None or value == "":  # files of 2019 list every key and leave most of them empty
            continue
        reader = _KEYS[name]
        values[name] = reader(value, path, str(key)) if reader else value
    return values
