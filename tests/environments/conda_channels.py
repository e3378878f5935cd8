"""A conda channel made by hand in a folder: no conda, no network.

Its ``python`` is this machine's own interpreter and standard library, packed as conda packs them. It stands in for the
real one of a real channel, which cannot be reached from here.
"""

import datetime
import hashlib
import io
import json
import os
import sys
import tarfile
import time
from pathlib import Path

_LEFT_OUT = {
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "ensurepip",
    "site-packages",
    "__pycache__",
}


PLACEHOLDER = "/opt/" + "placehold_" * 20
"""The prefix that stands in packages' files until they are installed: long, since binaries keep their length."""


def pack(folder: Path, name: str, version: str, files: dict[str, bytes | Path], **index) -> Path:
    """Write one package (``.tar.bz2``) into a channel's sub-folder; ``index`` completes ``info/index.json``.

    Files that hold the placeholder are said to, as conda's builder does.
    """
    subdir = index.setdefault("subdir", "noarch")
    (folder / subdir).mkdir(parents=True, exist_ok=True)
    path = folder / subdir / f"{name}-{version}-0.tar.bz2"
    facts = {"name": name, "version": version, "build": "0", "build_number": 0, "depends": [], **index}
    if facts.setdefault("timestamp", int(time.time() * 1000)) is None:
        del facts["timestamp"]
    with tarfile.open(path, "w:bz2", compresslevel=1) as archive:
        entries = []
        for inside, content in files.items():
            data = content.read_bytes() if isinstance(content, Path) else content
            script = data.startswith((b"#!", b"\x7fELF"))
            mode = 0o755 if script or (isinstance(content, Path) and os.access(content, os.X_OK)) else 0o644
            _add(archive, inside, data, mode)
            digest = hashlib.sha256(data).hexdigest()
            entry = {"_path": inside, "path_type": "hardlink", "sha256": digest, "size_in_bytes": len(data)}
            if PLACEHOLDER.encode() in data:
                entry |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "binary" if b"\0" in data else "text"}
            entries.append(entry)
        _add(archive, "info/index.json", json.dumps(facts).encode())
        _add(archive, "info/files", "\n".join(files).encode())
        _add(archive, "info/paths.json", json.dumps({"paths": entries, "paths_version": 1}).encode())
        if facts.get("noarch") == "python":
            link = {"noarch": {"type": "python"}, "package_metadata_version": 1}
            _add(archive, "info/link.json", json.dumps(link).encode())
    return path


def pack_python(folder: Path, subdir: str, **facts) -> Path:
    """This machine's running Python as the package ``python``; its libpython goes along, as in conda's."""
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    base = Path(sys.base_prefix)
    library = base / "lib" / f"python{minor}"
    # conda's programs look for their libraries relative to themselves; the same length, so that nothing moves.
    where = os.fsencode(base / "lib")
    program = Path(os.path.realpath(sys._base_executable)).read_bytes()
    program = program.replace(where + b"\0", b"$ORIGIN/../lib".ljust(len(where), b"\0") + b"\0")
    files: dict[str, bytes | Path] = {
        **{str(path.relative_to(base)): path for path in (base / "lib").glob(f"libpython{minor}.so*")},
        "bin/python": program,
        f"bin/python{minor}": program,
        f"lib/python{minor}/site-packages/README.txt": b"",
    }
    for root, folders, names in os.walk(library):
        folders[:] = [one for one in folders if one not in _LEFT_OUT and not one.startswith("config-")]
        for one in names:
            path = Path(root) / one
            files[str(path.relative_to(base))] = path
    version = "{}.{}.{}".format(*sys.version_info[:3])
    return pack(folder, "python", version, files, subdir=subdir, license="PSF-2.0", **facts)


def moment(day: str) -> int:
    """A day as records have it, in milliseconds."""
    return int(datetime.datetime.fromisoformat(f"{day}T12:00+00:00").timestamp() * 1000)


def index(folder: Path) -> str:
    """Write the channel's ``repodata.json`` files; its address."""
    import asyncio

    from rattler.index import index_fs

    (folder / "noarch").mkdir(parents=True, exist_ok=True)
    asyncio.run(index_fs(folder, write_zst=False, write_shards=False))
    return folder.as_uri()


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))
