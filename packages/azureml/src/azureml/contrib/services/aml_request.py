"""The request of raw HTTP entry scripts."""

from azureml._names import take

globals().update(
    take(
        AMLRequest="sendoff_serving.worker.http_request",
        rawhttp="sendoff_serving.worker.http_request",
    )
)
