"""Constants of `azureml.data.dataset_type_definitions` and column types (spec/surface.md sec. 2.14)."""

from __future__ import annotations

from enum import IntEnum

from ...spec import dataset as spec
from ..exceptions import UserErrorException
from ..unsupported import refusing


class PromoteHeadersBehavior(IntEnum):
    """Which files begin with a line of column names."""

    NO_HEADERS = 0
    ONLY_FIRST_FILE_HAS_HEADERS = 1
    COMBINE_ALL_FILES_HEADERS = 2
    ALL_FILES_HAVE_SAME_HEADERS = 3


class FileEncoding(IntEnum):
    """How text files are encoded."""

    UTF8 = 0
    ISO88591 = 1
    LATIN1 = 2
    ASCII = 3
    UTF16 = 4
    UTF32 = 5
    UTF8BOM = 6
    WINDOWS1252 = 7


class SkipLinesBehavior(IntEnum):
    """Lines to leave out at a file's beginning."""

    NO_ROWS = 0
    FROM_FIRST_FILE_ONLY = 1
    FROM_ALL_FILES = 2


class HistogramCompareMethod(IntEnum):
    """How two histograms are compared."""

    WASSERSTEIN = 0
    ENERGY = 1


@refusing(
    "DataType",
    {
        "Use Dataset.File.from_files for the files themselves.": "to_stream(workspace: object = None) -> DataType",
    },
)
class DataType:
    """What a column's text becomes; made by the static methods."""

    def __init__(self, kind: str, formats: list[str] | None = None, decimal_mark: str = ".") -> None:
        self._spec = spec.ColumnType(kind=kind, formats=formats or [], decimal_mark=decimal_mark)

    @staticmethod
    def to_bool() -> DataType:
        """``true`` and ``false`` in any case."""
        return DataType("bool")

    @staticmethod
    def to_datetime(formats: str | list[str] | None = None) -> DataType:
        """Times, by ``strptime`` formats; ISO 8601 when none is given."""
        return DataType("datetime", [formats] if isinstance(formats, str) else list(formats or ()))

    @staticmethod
    def to_float(decimal_mark: str = ".") -> DataType:
        """Floating-point numbers."""
        return DataType("float", decimal_mark=decimal_mark)

    @staticmethod
    def to_long() -> DataType:
        """Whole numbers."""
        return DataType("long")

    @staticmethod
    def to_string() -> DataType:
        """Text as it is written."""
        return DataType("string")

    def __repr__(self) -> str:
        return f"DataType({self._spec.kind!r})"


_HEADERS = (spec.NO_HEADERS, spec.FIRST_FILE, spec.COMBINE, spec.ALL_SAME)
_ENCODINGS = ("utf8", "latin1", "latin1", "ascii", "utf16", "utf32", "utf8", "windows1252")


def header_of(value: object) -> str:
    """SDK v1's ``header`` argument: a bool, a `PromoteHeadersBehavior` or its number."""
    if value is True:
        return spec.ALL_SAME
    if value is False or value is None:
        return spec.NO_HEADERS
    if isinstance(value, int) and 0 <= value < len(_HEADERS):
        return _HEADERS[int(value)]
    raise UserErrorException(f"header {value!r} is not known", hint="Give True, False or a PromoteHeadersBehavior.")


def encoding_of(value: object) -> str:
    """SDK v1's ``encoding`` argument: a name or a `FileEncoding`."""
    return _ENCODINGS[int(value)] if isinstance(value, FileEncoding) else str(value)
