"""A path in a datastore, as SDK v1 handed it round (spec/surface.md sec. 2.14)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..unsupported import refusing

if TYPE_CHECKING:
    from .datastore import Datastore


@dataclass(eq=False, repr=False)
class DataPath:
    """A path, folder or pattern in a datastore.

    Args:
        datastore: Where it is.
        path_on_datastore: Relative; None is everything.
        name: Free.
    """

    datastore: Datastore
    path_on_datastore: str | None = None
    name: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.datastore.name!r}, {self.path_on_datastore!r})"


@refusing(
    "DataReference",
    {
        "Upload what the script wrote: datastore.upload(src_dir, target_path).": """
            as_upload(self, path_on_compute=None, overwrite=False) -> DataReference
        """,
    },
)
class DataReference(DataPath):
    """A path in a datastore that a job would have mounted.

    Args:
        datastore: Where it is.
        data_reference_name: Free.
        path_on_datastore: Relative.
        mode: ``mount``, ``download`` or ``upload``; kept and not used.
        path_on_compute: As ``mode``.
        overwrite: As ``mode``.
    """

    def __init__(
        self,
        datastore: Datastore,
        data_reference_name: str | None = None,
        path_on_datastore: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        super().__init__(datastore, path_on_datastore, data_reference_name)
        self.data_reference_name = data_reference_name
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> DataReference:
        """A path below this one."""
        below = "/".join(part.strip("/") for part in (self.path_on_datastore, path) if part)
        return DataReference(self.datastore, data_reference_name or self.data_reference_name, below or None)

    def as_mount(self) -> DataReference:
        """As an argument of a training script, which gets the path of a copy."""
        return DataReference(self.datastore, self.data_reference_name, self.path_on_datastore, "mount")

    def as_download(self, path_on_compute: str | None = None, overwrite: bool = False) -> DataReference:
        """As an argument of a training script, which gets the path of a copy."""
        named = (self.datastore, self.data_reference_name, self.path_on_datastore)
        return DataReference(*named, "download", path_on_compute, overwrite)

    def _as_argument(self) -> str:
        import tempfile

        folder = self.path_on_compute or tempfile.mkdtemp(prefix="sendoff-data-")
        self.datastore.download(folder, prefix=self.path_on_datastore, overwrite=True, show_progress=False)
        return str(Path(folder) / (self.path_on_datastore or ""))
