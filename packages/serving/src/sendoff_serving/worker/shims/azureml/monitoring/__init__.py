"""``from azureml.monitoring import ModelDataCollector`` (docs/data-collection.md)."""

from .modeldatacollector import ModelDataCollector

__all__ = ["ModelDataCollector"]
