"""Automated training."""
