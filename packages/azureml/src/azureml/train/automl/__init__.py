"""Automated training: its runs, whose models can be registered."""

from azureml._names import take

globals().update(take(__name__))
