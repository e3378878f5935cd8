"""Frozen specs and their parsers: files and JSON in, typed objects out. Imports nothing of ours but errors."""
