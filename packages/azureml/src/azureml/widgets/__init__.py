"""Notebook widgets: lines of text."""

from azureml._names import take

globals().update(take(__name__))
