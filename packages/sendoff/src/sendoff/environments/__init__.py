"""Environments: definitions, locks, and what is built of them (docs/environments.md)."""
