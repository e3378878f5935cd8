"""Data: tables, files and where they lie."""

from azureml._names import take

globals().update(take(__name__))
