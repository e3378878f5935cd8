"""Reads SDK v1 code without importing or running it, and says what of it runs here, what is mapped, what not."""

from .check import check
from .findings import MAPPED, RUNS, UNSUPPORTED, FileReport, Finding, Report

__all__ = ["MAPPED", "RUNS", "UNSUPPORTED", "FileReport", "Finding", "Report", "check"]
