"""Functions."""

from azureml._names import take

globals().update(
    take(
        HTTP_TRIGGER="sendoff.sdk.absent",
        BLOB_TRIGGER="sendoff.sdk.absent",
        package="sendoff.sdk.absent",
        package_http="sendoff.sdk.absent",
        package_blob="sendoff.sdk.absent",
        package_service_bus_queue="sendoff.sdk.absent",
        HttpTrigger="sendoff.sdk.absent",
        BlobTrigger="sendoff.sdk.absent",
    )
)
