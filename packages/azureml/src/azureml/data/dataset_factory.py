"""What makes datasets."""

from azureml._names import take

globals().update(
    take(
        TabularDatasetFactory="sendoff.sdk.data.factory",
        FileDatasetFactory="sendoff.sdk.data.factory",
        DataType="sendoff.sdk.data.types",
    )
)
