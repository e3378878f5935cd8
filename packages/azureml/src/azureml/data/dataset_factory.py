"""What makes datasets."""

from azureml._names import take

globals().update(
    take(
        TabularDatasetFactory="sendoff.sdk.dataset_factory",
        FileDatasetFactory="sendoff.sdk.dataset_factory",
        DataType="sendoff.sdk.dataset_types",
    )
)
