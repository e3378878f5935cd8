"""The response of raw HTTP entry scripts."""

from azureml._names import take

globals().update(
    take(
        AMLResponse="sendoff_serving.worker.http_response",
    )
)
