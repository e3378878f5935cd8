"""What data sets raise."""

from azureml._names import take

globals().update(take(__name__))
