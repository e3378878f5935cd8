"""What a script imports is imported once in its new environment: what fails is told before a bundle is made."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ..errors import EnvironmentFailed
from ..frameworks.modules import PACKAGES
from ..progress import Progress
from ..spec.environment import AUTO, METHOD_USER_MANAGED, Lock, canonical_name
from ..spec.imports import Import, NotImported
from ..spec.inference import Code
from .model_versions import stated_versions
from .script_imports import ScriptImports, script_imports

if TYPE_CHECKING:
    from ..rooms import Rooms

_PACKAGE_OF = {
    **PACKAGES,
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "jwt": "pyjwt",
    "PIL": "pillow",
    "pkg_resources": "setuptools<81",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
_TOLD = {"ImportError", "AttributeError", "TypeError", "ValueError", "SyntaxError"}

# What is raised where two releases do not go together, and the line that mends it. The first that fits is taken.
_MISMATCHES = (
    (r"numpy\.dtype size changed.*Expected 96.*got 88|_ARRAY_API|numpy\.core\.multiarray failed"
     r"|compiled using NumPy 1|removed in the NumPy 2\.0", "numpy<2"),
    (r"numpy\.ndarray size changed.*Expected 88.*got 80|module compiled against (?:ABI|API) version", "numpy>=1.20"),
    (r"numpy\.\w+ size changed|numpy\.core\.umath failed", "numpy"),
    (r"module 'numpy' has no attribute '(?:bool|int|float|object|complex|str|long|unicode)'", "numpy<1.24"),
    (r"(?:cannot import name|has no attribute) '\w+'.* ?'?collections'?|module 'collections' has no", "python=3.9"),
    (r"Descriptors can(?:not|'t) be created directly", "protobuf<3.21"),
    (r"cannot import name '\w+' from 'google\.protobuf", "protobuf<3.21"),
    (r"cannot import name '(?:escape|Markup)' from 'jinja2'", "jinja2<3.1"),
    (r"cannot import name 'soft_unicode' from 'markupsafe'", "markupsafe<2.1"),
    (r"cannot import name '\w+' from 'itsdangerous'", "itsdangerous<2.1"),
    (r"cannot import name '(?:url_quote|url_encode|url_decode|url_parse|BaseResponse|cached_property)' from 'werkzeug",
     "werkzeug<2.1"),
    (r"cannot import name '(?:_registerMatType|gapi_wip_gin_GStreamerPipeline)'|libGL\.so", "opencv-python-headless"),
    (r"No module named 'pkg_resources'", "setuptools<81"),
    (r"No module named 'distutils|No module named 'imp'", "python=3.11"),
)  # fmt: skip


_Made = TypeVar("_Made")


class FirstImport:
    """What a script and its models' pickles import, and the packages with which that works.

    Args:
        rooms: Where the files are.
        code: Script and environment.
        models: Ids with versions.
        workspace: Theirs.
    """

    def __init__(self, rooms: Rooms, code: Code, models: Sequence[str], workspace: str) -> None:
        self._rooms, self._code, self._models, self._workspace = rooms, code, models, workspace

    def working(
        self,
        lock: Lock,
        make: Callable[[Lock, list[Import]], tuple[_Made, list[NotImported]]],
        progress: Progress,
    ) -> tuple[Lock, _Made, list[str]]:
        """Make what the script runs in; where its imports fail in it, once more with the packages of another day.

        Args:
            lock: The packages.
            make: Makes it from packages, and says which of the imports fail in it.
            progress: Receives plain lines.

        Returns:
            The packages that it was made from, what was made, and notes.

        Raises:
            EnvironmentFailed: An import that loading the script surely does fails, or releases do not go together.
            SendoffError: As ``make``.
        """
        wanted = [] if lock.method == METHOD_USER_MANAGED else self._wanted
        made, failed = make(lock, wanted)
        try:
            self._judge(failed, lock)
        except EnvironmentFailed as error:
            progress(f"{error.message}; looking for packages of another day")
            again = self._one_more_day(lock, progress)
            if again is None:
                raise
            made, failed = make(again, wanted)
            self._judge(failed, again)
            return again, made, [f"{error.message}. {again.as_of} is the day whose packages are taken instead."]
        return lock, made, []

    @cached_property
    def _imports(self) -> ScriptImports:
        source, blobs = self._code.source, self._rooms.store.blobs
        files = {file.path: (lambda digest=file.digest: blobs.read_bytes(digest)) for file in source.files}
        return script_imports(source.entry_script, files)

    @property
    def _wanted(self) -> list[Import]:
        pickled = {_module(name) for model in self._models for name in self._pickled(model)} - {""}
        wanted = [*(one.wanted for one in self._imports.found), *(Import(module=name) for name in sorted(pickled))]
        return [] if all(one.module.partition(".")[0] in sys.stdlib_module_names for one in wanted) else wanted

    def _pickled(self, model: str) -> list[str]:
        return [finding.imported for finding in self._rooms.registry.get(self._workspace, model).scan.findings]

    def _judge(self, failed: list[NotImported], lock: Lock) -> None:
        if not failed:
            return
        places = {one.wanted.module: one for one in reversed(self._imports.found)}
        for one in failed:
            known = places.get(one.module)
            place = known.place if known else "the model's file"
            line = _line(one)
            certain = known is not None and known.certain and (_TOLD & set(one.kind) or one.kind[0].startswith("SIG"))
            lost = one.missing is not None and self._imports.searches
            if (certain and not lost) or (line is not None and one.missing is None):
                raise _failure(one, place, line, lock)

    def _one_more_day(self, lock: Lock, progress: Progress) -> Lock | None:
        """Packages as of the day that the pins tell; None where somebody chose the day, or there are no others."""
        if lock.as_of is not None or self._code.environment.python.as_of != AUTO:
            return None
        stated = stated_versions(self._rooms, self._workspace, self._models)
        try:
            again = self._rooms.environments.resolve(self._code.environment, progress, stated=stated, again=lock)
        except EnvironmentFailed:
            return None
        return None if again.as_of is None else again


def _module(imported: str) -> str:
    """The module of a pickle's import, of libraries with compiled parts; others have nothing that could not fit."""
    module = imported.rpartition(".")[0]
    root = module.partition(".")[0]
    compiled = root in PACKAGES or root in ("sklearn", "numpy", "scipy", "pandas")
    return module if compiled and re.fullmatch(r"\w+(\.\w+)*", module) else ""


def _line(failed: NotImported) -> str | None:
    text = str(failed)
    return next((line for pattern, line in _MISMATCHES if re.search(pattern, text, re.DOTALL)), None)


def _failure(failed: NotImported, place: str, line: str | None, lock: Lock) -> EnvironmentFailed:
    root = failed.module.partition(".")[0]
    missing = failed.missing.partition(".")[0] if failed.missing else None
    if missing is not None:
        line = line or _PACKAGE_OF.get(missing, missing.replace("_", "-"))
        whose = "" if missing == root else f", which {root} needs"
        what = f"the environment has no module {missing!r}{whose}"
    else:
        pins = lock.pins()
        package = canonical_name(_PACKAGE_OF.get(root, root))
        version = f" {pins[package]}" if package in pins else ""
        what = f"{root}{version} cannot be imported in the environment: {failed}"
        if line == "numpy" and "numpy" in pins:
            line = f"numpy<{pins['numpy']}"
    hint = f"Write the line {line!r} into the environment's packages" if line else ""
    if lock.as_of is None:
        day = "or as_of: YYYY-MM-DD, a day on which it worked" if line else "Write as_of: YYYY-MM-DD into it, a day on"
        hint = f"{hint}, {day}." if line else f"{day} which it worked, or pin the release of {root} that did."
    else:
        hint = f"{hint}." if line else f"Pin the release of {root} that worked."
    return EnvironmentFailed(
        f"{place}: {what}", hint=hint, module=failed.module, error=str(failed), line=line, reason="import"
    )
