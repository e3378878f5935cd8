"""Environments: definitions, locks, and what is built of them (docs/environments.md)."""

from __future__ import annotations

from .build import BuiltEnvironment, PresentEnvironment
from .interpreters import Interpreter
from .service import Environments

__all__ = ["BuiltEnvironment", "Environments", "Interpreter", "PresentEnvironment"]
