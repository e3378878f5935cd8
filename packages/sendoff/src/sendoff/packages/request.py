"""What a package's operation was asked for, as its row keeps it."""

from __future__ import annotations

from ..spec.inference import InferenceSpec
from ..spec.package import PackageResult
from ..spec.parse import Spec


class PackageRequest(Spec):
    """What a package's operation was asked for, with everything pinned to versions; and what came of it."""

    models: list[str]
    inference: InferenceSpec
    environment: str
    generate_dockerfile: bool
    image: str
    result: PackageResult | None = None
