"""Batch steps as of April 2020."""

from azureml._names import take

globals().update(take(__name__))
