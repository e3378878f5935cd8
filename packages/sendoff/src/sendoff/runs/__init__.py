"""Experiments and runs: what a training script logged and kept, so that models can be registered from it."""

from .runs import Runs

__all__ = ["Runs"]
