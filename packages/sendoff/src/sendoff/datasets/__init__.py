"""Datastores and datasets: names for files in the blob store, and for how to read them."""

from .datasets import Datasets
from .datastores import Datastores

__all__ = ["Datasets", "Datastores"]
