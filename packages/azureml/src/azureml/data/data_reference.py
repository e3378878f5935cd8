"""Paths in datastores, as jobs take them."""

from azureml._names import take

globals().update(take(__name__))
