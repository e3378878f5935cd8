"""The files that a run keeps: put in, listed, fetched (spec/surface.md sec. 2.15)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ...client import Transfer
from ...spec.model import ManifestFile
from ...spec.parse import replace
from ..exceptions import UserErrorException, as_sdk_errors

if TYPE_CHECKING:
    from ..workspace import Workspace


class RunFiles:
    """File methods of a recorded run."""

    _workspace: Workspace
    _run_id: str

    @as_sdk_errors(UserErrorException)
    def _keep(self, files: dict[str, Path]) -> None:
        client = self._workspace._client
        if files:
            kept = Transfer(client).put_files([*files.items()])
            client.add_run_files(self._workspace.name, self._run_id, kept)

    def _keep_bytes(self, name: str, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            file.write_bytes(data)
            self._keep({_name(name): file})

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: str | None = None) -> None:
        """Keep a file under a name, usually below ``outputs/``; one that has the name is replaced.

        Args:
            name: Its path within the run.
            path_or_stream: A local path, or an open binary file.
            datastore_name: Not used: the run's files are in the workspace's blob store.

        Raises:
            UserErrorException: There is no such file.
        """
        if hasattr(path_or_stream, "read"):
            data = path_or_stream.read()
            self._keep_bytes(name, data.encode() if isinstance(data, str) else data)
        else:
            self._keep({_name(name): Path(path_or_stream)})

    def upload_files(
        self,
        names: Sequence[str],
        paths: Sequence[str],
        return_artifacts: bool = False,
        timeout_seconds: int | None = None,
        datastore_name: str | None = None,
    ) -> None:
        """Keep several files: names and local paths, in the same order.

        Raises:
            UserErrorException: The lists differ in length, or a file is not there; nothing was kept then.
        """
        if len(names) != len(paths):
            raise UserErrorException(f"{len(names)} names and {len(paths)} paths were given", hint="Give one for each.")
        self._keep({_name(name): Path(path) for name, path in zip(names, paths, strict=True)})

    def upload_folder(self, name: str, path: str, datastore_name: str | None = None) -> None:
        """Keep all files of a local folder below a name.

        Raises:
            UserErrorException: There is no such folder.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise UserErrorException(f"{folder} is not a folder", hint="upload_file keeps a single file.")
        self._keep(
            {
                _name(f"{name}/{file.relative_to(folder).as_posix()}"): file
                for file in sorted(folder.rglob("*"))
                if file.is_file()
            }
        )

    @as_sdk_errors(UserErrorException)
    def _files(self) -> list[ManifestFile]:
        return self._workspace._client.run_files(self._workspace.name, self._run_id)

    def get_file_names(self) -> list[str]:
        """The paths of its files."""
        return [file.path for file in self._files()]

    def download_file(self, name: str, output_file_path: str | None = None, **_: Any) -> None:
        """Fetch one file.

        Args:
            name: Its path within the run.
            output_file_path: Where to; a folder that exists takes it under its own name, None is the current folder.

        Raises:
            UserErrorException: The run has no such file.
        """
        found = [file for file in self._files() if file.path == _name(name)]
        if not found:
            raise UserErrorException(
                f"File with path {name} was not found, available files include: "
                f"{','.join(self.get_file_names()) or 'none'}.",
                hint="get_file_names() lists them.",
            )
        target = Path(output_file_path) if output_file_path else Path(PurePosixPath(name).name)
        if target.is_dir() or str(output_file_path or "").endswith(("/", os.sep)):
            target = target / PurePosixPath(name).name
        self._fetch([(found[0], target)])

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: str | None = None,
        output_paths: Sequence[str] | None = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: int | None = None,
    ) -> None:
        """Fetch the files below a path, or all.

        Args:
            prefix: Only files whose path begins with it.
            output_directory: Where to; None is the current folder.
            output_paths: A path for each file instead, in the order of their names.
            batch_size: Not used.
            append_prefix: False leaves the prefix out of the paths below ``output_directory``.
            timeout_seconds: Not used.

        Raises:
            UserErrorException: ``output_paths`` has another length than there are files.
        """
        found = [file for file in self._files() if file.path.startswith(prefix or "")]
        if output_paths is not None:
            if len(output_paths) != len(found):
                raise UserErrorException(
                    f"{len(output_paths)} output paths were given for {len(found)} files", hint="Give one for each."
                )
            self._fetch([(file, Path(path)) for file, path in zip(found, output_paths, strict=True)])
            return
        base = Path(output_directory or ".")
        cut = 0 if append_prefix or not prefix else len(prefix)
        self._fetch([(file, base / file.path[cut:].lstrip("/")) for file in found])

    @as_sdk_errors(UserErrorException)
    def _fetch(self, wanted: list[tuple[ManifestFile, Path]]) -> None:
        transfer = Transfer(self._workspace._client)
        for file, target in wanted:
            folder = target.absolute().parent
            folder.mkdir(parents=True, exist_ok=True)
            transfer.get([replace(file, path=target.name)], folder, exist_ok=True)

    def get_all_logs(self, destination: str | None = None) -> list[str]:
        """Fetch its logs and say where they are.

        Args:
            destination: Where to; None is a folder named after the run.
        """
        logs = [file for file in self._files() if file.path.startswith(("logs/", "azureml-logs/", "user_logs/"))]
        base = Path(destination or f"{self._run_id}_logs")
        self._fetch([(file, base / file.path) for file in logs])
        return [str(base / file.path) for file in logs]


def _name(name: str) -> str:
    parts = [part for part in str(name).replace("\\", "/").split("/") if part not in ("", ".")]
    return "/".join(parts)
