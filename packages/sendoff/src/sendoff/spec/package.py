"""The package: a bundle as a container image, or as a folder to build one from (spec/behaviour.md sec. 16.2)."""

from __future__ import annotations

from typing import Any

from . import names
from .inference import InferenceSpec
from .operation import Operation
from .parse import Spec

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"


class CreatePackage(Spec):
    """Body of ``POST /v1/workspaces/{ws}/packages``; no label means the time of the request."""

    models: list[str] = []
    inference: InferenceSpec | None = None
    generate_dockerfile: bool = False
    image_name: str | None = None
    image_label: str | None = None


class PackageResult(Spec):
    """What came of it: where it is, and for an image its id (the digest of its configuration) and bytes.

    ``manifest_digest`` is the registry's name for it, once it was pushed. ``registry`` is where it was pushed, and
    for a folder where the base image comes from.
    """

    location: str
    image_id: str | None = None
    manifest_digest: str | None = None
    size: int | None = None
    registry: str | None = None


class Package(Spec):
    """A package as the API shows it; its id is its operation's."""

    id: str
    workspace: str
    state: str
    generate_dockerfile: bool
    image: str
    """Name and label that it has, or will have."""
    models: list[str]
    result: PackageResult | None
    error: dict[str, Any] | None
    created_time: float
    operation: Operation


class ImageContent(Spec):
    """One file of an image and the layer that it is in; bytes."""

    path: str
    size: int
    layer: str


class ImageReport(Spec):
    """What is in an image: its layers from below, who it is, the biggest files."""

    reference: str
    id: str
    created: str
    size: int
    user: str
    entrypoint: list[str]
    labels: dict[str, str]
    layers: list[dict[str, Any]]
    packages: list[dict[str, str]]
    biggest: list[ImageContent]


def check_image(name: str | None, label: str | None) -> None:
    """Check an image's name and label as registries do (https://github.com/opencontainers/distribution-spec).

    Raises:
        InvalidInput: One of them is not allowed.
    """
    if name is not None:
        rule = "lower-case letters, digits, '.', '_', '-', and '/' between parts; the registry is a setting"
        names.check(name, f"{_PART}(?:/{_PART})*", "image name", rule, "image_name")
    if label is not None:
        rule = "1 to 128 letters, digits, '.', '_' or '-'"
        names.check(label, r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "image label", rule, "image_label")
