"""Wheels of installed packages, put together again from what their RECORD lists: no index is asked a second time."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import re
import zipfile
from pathlib import Path

from ..errors import EnvironmentFailed

_LEFT_OUT = {"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "RECORD"}
_TIME = (2000, 1, 1, 0, 0, 0)


def wheels(environment: Path, out: Path) -> list[str]:
    """Write a wheel for each package that is installed in a virtual environment.

    Args:
        environment: Its folder; the packages were checked against their hashes when they were installed.
        out: Where the wheels go; made when needed.

    Returns:
        A requirement line with its hash for each, sorted.

    Raises:
        EnvironmentFailed: A package has no RECORD.
    """
    out.mkdir(parents=True, exist_ok=True)
    packages = next(iter(environment.glob("lib/python3*/site-packages")))
    return sorted(_wheel(info, packages, out) for info in packages.glob("*.dist-info"))


def _wheel(info: Path, packages: Path, out: Path) -> str:
    name, _, version = info.name.removesuffix(".dist-info").partition("-")
    try:
        listed = [row[0] for row in csv.reader((info / "RECORD").read_text(encoding="utf-8").splitlines()) if row]
        tags = re.findall(r"^Tag: (\S+)", (info / "WHEEL").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError as error:
        raise EnvironmentFailed(f"{info.name} was not installed from a wheel: {error.strerror}") from None
    generated = _entry_points(info)
    files: dict[str, Path] = {}
    for path in listed:
        place = _place(path, f"{name}-{version}.data", info.name, generated)
        if place is not None:
            files[place] = packages / path
    parts = [".".join(sorted({tag.split("-")[part] for tag in tags})) for part in range(3)]
    wheel = out / f"{name}-{version}-{'-'.join(parts)}.whl"
    record: list[tuple[str, str, str]] = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for place in sorted(files):
            data = files[place].read_bytes()
            if ".data/scripts/" in place:
                data = re.sub(rb"\A#!.*python.*\n", b"#!python\n", data)
            _add(archive, place, data, bool(files[place].stat().st_mode & 0o100))
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append((place, f"sha256={digest}", str(len(data))))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*record, (f"{info.name}/RECORD", "", "")])
        _add(archive, f"{info.name}/RECORD", text.getvalue().encode(), False)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def _place(path: str, data: str, info: str, generated: set[str]) -> str | None:
    """Where an installed file lies in its wheel; None for what the installer makes itself."""
    if path.endswith(".pyc") or (path.startswith(f"{info}/") and path.rpartition("/")[2] in _LEFT_OUT):
        return None
    if not path.startswith("../"):
        return path
    inner = re.sub(r"\A(\.\./)+", "", path)
    folder, _, rest = inner.partition("/")
    if folder in ("bin", "Scripts"):
        return None if rest in generated else f"{data}/scripts/{rest}"
    if headers := re.match(r"include/site/python[\d.]+/[^/]+/(.+)", inner):
        return f"{data}/headers/{headers[1]}"
    return f"{data}/data/{inner}"


def _entry_points(info: Path) -> set[str]:
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read(info / "entry_points.txt", encoding="utf-8")
    except configparser.Error:
        return set()
    sections = [name for name in ("console_scripts", "gui_scripts") if parser.has_section(name)]
    return {name for section in sections for name in parser.options(section)}


def _add(archive: zipfile.ZipFile, place: str, data: bytes, executable: bool) -> None:
    entry = zipfile.ZipInfo(place, _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    archive.writestr(entry, data)
