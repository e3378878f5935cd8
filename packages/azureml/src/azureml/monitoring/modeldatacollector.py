"""The data collector of entry scripts."""

from azureml._names import take

globals().update(
    take(
        ModelDataCollector="sendoff_serving.worker.shims.azureml.monitoring.modeldatacollector",
    )
)
