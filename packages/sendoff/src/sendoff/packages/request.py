"""What a package's operation was asked for, as its row keeps it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ..operations.kinds import PACKAGE
from ..spec.inference import Code
from ..spec.operation import FINAL
from ..spec.package import PackageResult
from ..spec.parse import Spec, decode
from ..store.in_use import Dropped, References
from ..store.tables import operations


class PackageRequest(Spec):
    """What a package's operation was asked for, with everything pinned to versions; and what came of it."""

    models: list[str]
    inference: Code
    environment: str
    generate_dockerfile: bool
    image: str
    result: PackageResult | None = None


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Code of packages that are being made, and images that were."""
    blobs: set[str] = set()
    images: set[str] = set()
    for row in connection.execute(select(operations).where(operations.c.type == PACKAGE)):
        wanted = decode(row.request, PackageRequest, where="the package's request")
        if row.state not in FINAL:
            blobs.update(file.digest for file in wanted.inference.source.files)
        if wanted.result is not None and wanted.result.image_id:
            images.add(wanted.result.image_id)
    return References(blobs=blobs, images=images)
