"""Rows of delimited text, JSON lines and Parquet: bytes in, columns out. Used by the SDK and by the core alike."""

from .read import DataFile, Table, column_of_texts, read_table

__all__ = ["DataFile", "Table", "column_of_texts", "read_table"]
