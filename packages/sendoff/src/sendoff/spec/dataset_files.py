"""The file of ``az ml dataset register -f`` (spec/surface.md sec. 7): what a dataset is of and what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from . import dataset as spec
from .parse import Spec, did_you_mean, not_a_mapping
from .values import as_bool, as_text, as_text_map, as_texts, fold

TEMPLATES: dict[str, dict[str, Any]] = {
    "tabular": {
        "schemaVersion": 1,
        "datasetType": "Tabular",
        "parameters": {
            "sourceType": "delimited_files",
            "path": {"datastoreName": "workspaceblobstore", "relativePath": "sample_request_data/*.txt"},
            "separator": "\n",
            "header": "NO_HEADERS",
            "encoding": "utf8",
            "inferColumnTypes": True,
            "supportMultiLine": False,
            "includePath": False,
        },
        "registration": {
            "name": "sample_request_data",
            "description": "One request body a line",
            "tags": {"for": "profiling"},
            "createNewVersion": True,
        },
    },
    "file": {
        "schemaVersion": 1,
        "datasetType": "File",
        "parameters": {"path": ["images/*.jpg"]},
        "registration": {"name": "images", "description": "", "tags": {}, "createNewVersion": True},
    },
}
_ROWS = (
    *("sourceType", "path", "separator", "header", "encoding", "inferColumnTypes", "supportMultiLine"),
    *("includePath", "setColumnTypes", "invalidLines", "emptyAsString"),
)
_SOURCES = {"delimitedfiles": spec.DELIMITED, "jsonlinesfiles": spec.JSON_LINES, "parquetfiles": spec.PARQUET}
_HEADERS = {
    "noheaders": spec.NO_HEADERS,
    "false": spec.NO_HEADERS,
    "onlyfirstfilehasheaders": spec.FIRST_FILE,
    "combineallfilesheaders": spec.COMBINE,
    "allfileshavesameheaders": spec.ALL_SAME,
    "true": spec.ALL_SAME,
}


class DatasetFile(Spec):
    """What the file says. Of a path that no datastore has, local or an address, the data is yet to be copied in."""

    name: str
    kind: str
    paths: list[spec.DataSource]
    reading: spec.Reading | None
    description: str = ""
    tags: dict[str, str] = {}
    create_new_version: bool = True


def parse_dataset_file(data: Any, where: str) -> DatasetFile:
    """Read the file's values.

    Args:
        data: Parsed JSON or YAML.
        where: What the file is called in errors.

    Raises:
        InvalidInput: Names the key and what it has to be.
    """
    top = _keys(data, where, ("schemaVersion", "datasetType", "parameters", "registration"))
    kind = as_text(top.get("datasettype", ""), where, "datasetType").lower()
    if kind not in (spec.TABULAR, spec.FILE):
        raise InvalidInput(f"{where}: datasetType has to be Tabular or File; got {kind!r}", where=where)
    given = _keys(top.get("parameters"), f"{where}: parameters", ("path",) if kind == spec.FILE else _ROWS)
    named = _keys(
        top.get("registration"), f"{where}: registration", ("name", "description", "tags", "createNewVersion")
    )
    if not named.get("name"):
        raise InvalidInput(f"{where}: registration.name is missing", where=where, field="name")
    return DatasetFile(
        name=as_text(named["name"], where, "registration.name"),
        kind=kind,
        paths=_paths(given.get("path"), where),
        reading=None if kind == spec.FILE else _reading(given, where),
        description=as_text(named.get("description") or "", where, "registration.description"),
        tags=as_text_map(named.get("tags") or {}, where, "registration.tags"),
        create_new_version=as_bool(named.get("createnewversion", True), where, "registration.createNewVersion"),
    )


def header_of(text: str, where: str) -> str:
    """``NO_HEADERS``, ``PromoteHeadersBehavior.NO_HEADERS``, ``true``… as a reading's ``header``."""
    found = _HEADERS.get(fold(text.rpartition(".")[2]))
    if found is None:
        raise InvalidInput(
            f"{where}: header {text!r} is not known",
            hint="Use NO_HEADERS, ONLY_FIRST_FILE_HAS_HEADERS, COMBINE_ALL_FILES_HEADERS or "
            "ALL_FILES_HAVE_SAME_HEADERS.",
            where=where,
            field="header",
        )
    return found


def separator_of(text: str) -> str:
    """A separator as it is typed: ``\\n`` and ``\\t`` in two characters mean the line end and the tab."""
    return {"\\n": "\n", "\\t": "\t", "\\r\\n": "\r\n"}.get(text, text)


def _reading(given: Mapping[str, Any], where: str) -> spec.Reading:
    source = fold(given.get("sourcetype", "delimited_files"))
    if source not in _SOURCES:
        raise InvalidInput(
            f"{where}: parameters.sourceType {given.get('sourcetype')!r} is not known",
            hint="Use delimited_files, json_lines_files or parquet_files.",
            where=where,
            field="sourceType",
        )
    types = given.get("setcolumntypes") or {}
    if not isinstance(types, Mapping):
        raise InvalidInput(f"{where}: parameters.setColumnTypes is a mapping of columns to types", where=where)
    return spec.Reading(
        form=_SOURCES[source],
        separator=separator_of(as_text(given.get("separator", ","), where, "parameters.separator")),
        header=header_of(str(given.get("header", True)), where),
        encoding=as_text(given.get("encoding", "utf8"), where, "parameters.encoding"),
        infer_column_types=as_bool(given.get("infercolumntypes", True), where, "parameters.inferColumnTypes"),
        column_types={str(name): _type(value, where) for name, value in types.items()},
        multi_line=as_bool(given.get("supportmultiline", False), where, "parameters.supportMultiLine"),
        empty_as_string=as_bool(given.get("emptyasstring", False), where, "parameters.emptyAsString"),
        include_path=as_bool(given.get("includepath", False), where, "parameters.includePath"),
        invalid_lines=as_text(given.get("invalidlines", "error"), where, "parameters.invalidLines"),
    )


def _type(value: Any, where: str) -> spec.ColumnType:
    if isinstance(value, Mapping):
        kinds = {fold(key): inner for key, inner in value.items()}
        formats = as_texts(kinds.get("formats", []), where, "setColumnTypes.formats")
        return spec.ColumnType(kind=_kind(kinds.get("type", "")), formats=formats)
    return spec.ColumnType(kind=_kind(value))


def _kind(value: Any) -> str:
    text = fold(str(value).rpartition(".")[2]).removeprefix("to")
    return {"int": "long", "integer": "long", "double": "float", "str": "string", "boolean": "bool"}.get(text, text)


def _paths(value: Any, where: str) -> list[spec.DataSource]:
    listed = value if isinstance(value, list) else [value]
    found = []
    for one in listed:
        if isinstance(one, Mapping):
            keys = _keys(one, f"{where}: parameters.path", ("datastoreName", "relativePath"))
            store = as_text(keys.get("datastorename", ""), where, "parameters.path.datastoreName")
            for inner in as_texts(keys.get("relativepath", ""), where, "parameters.path.relativePath"):
                found.append(spec.DataSource(path=inner, datastore=store))
        elif isinstance(one, str) and one:
            found.append(spec.DataSource(path=one))
        else:
            raise InvalidInput(
                f"{where}: parameters.path is a path, an address, or datastoreName with relativePath; got {one!r}",
                where=where,
                field="path",
            )
    return found


def _keys(value: Any, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    """A mapping by folded keys; an unknown one is an error with the nearest known name."""
    if not isinstance(value, Mapping):
        raise not_a_mapping(value, where=where, hint=f"It has the keys {', '.join(known)}.")
    folded = {fold(name) for name in known}
    for key in value:
        if fold(key) not in folded:
            raise InvalidInput(
                f"{where}: unknown key {str(key)!r}",
                hint=did_you_mean(str(key), known, f"Known: {', '.join(known)}."),
                where=where,
                field=str(key),
            )
    return {fold(key): inner for key, inner in value.items()}
