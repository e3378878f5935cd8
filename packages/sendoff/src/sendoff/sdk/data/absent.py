"""Members of SDK v1's datasets and datastores that Sendoff does not have: each says what to use instead."""

from __future__ import annotations

from typing import Any

from ..unsupported import refuse

_PANDAS = "Do it with pandas: dataset.to_pandas_dataframe()."
_FILES = "Use download() and read the files where they are then."
_STORES = "Use the default datastore, or files and folders of this machine."


class AbsentAbstractDataset:
    """What a Dataset lacks."""

    def get_partition_key_values(self, partition_keys: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("Dataset.get_partition_key_values", _PANDAS)

    @property
    def partition_keys(self) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("Dataset.partition_keys", _PANDAS)


class AbsentTabularDataset:
    """What a TabularDataset lacks."""

    def download(
        self, stream_column: Any, target_path: Any = None, overwrite: Any = False, ignore_not_found: Any = True
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.download", _PANDAS)

    def filter(self, expression: Any) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.filter", _PANDAS)

    def get_profile(self, workspace: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.get_profile", _PANDAS)

    def get_profile_runs(self, workspace: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.get_profile_runs", _PANDAS)

    def mount(self, stream_column: Any, mount_point: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.mount", _PANDAS)

    def partition_by(
        self,
        partition_keys: Any,
        target: Any,
        name: Any = None,
        show_progress: Any = True,
        partition_as_file_dataset: Any = False,
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.partition_by", _PANDAS)

    def random_split(self, percentage: Any, seed: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.random_split", _PANDAS)

    def submit_profile_run(self, compute_target: Any, experiment: Any, cache_datastore_name: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.submit_profile_run", _PANDAS)

    def take_sample(self, probability: Any, seed: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.take_sample", _PANDAS)

    def time_after(self, start_time: Any, include_boundary: Any = True, validate: Any = True) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.time_after", _PANDAS)

    def time_before(self, end_time: Any, include_boundary: Any = True, validate: Any = True) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.time_before", _PANDAS)

    def time_between(self, start_time: Any, end_time: Any, include_boundary: Any = True, validate: Any = True) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.time_between", _PANDAS)

    def time_recent(self, time_delta: Any, include_boundary: Any = True, validate: Any = True) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.time_recent", _PANDAS)

    @property
    def timestamp_columns(self) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.timestamp_columns", _PANDAS)

    def to_csv_files(self, separator: Any = ",") -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.to_csv_files", _PANDAS)

    def to_dask_dataframe(
        self, sample_size: Any = 10000, dtypes: Any = None, on_error: Any = "null", out_of_range_datetime: Any = "null"
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.to_dask_dataframe", _PANDAS)

    def to_parquet_files(self) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.to_parquet_files", _PANDAS)

    def to_spark_dataframe(self) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.to_spark_dataframe", _PANDAS)

    def with_timestamp_columns(
        self, timestamp: Any = None, partition_timestamp: Any = None, validate: Any = False
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("TabularDataset.with_timestamp_columns", _PANDAS)


class AbsentFileDataset:
    """What a FileDataset lacks."""

    def as_cache(self, datacache_store: Any) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("FileDataset.as_cache", _FILES)

    def as_hdfs(self) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("FileDataset.as_hdfs", _FILES)

    def file_metadata(self, col: Any) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("FileDataset.file_metadata", _FILES)

    def filter(self, expression: Any) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("FileDataset.filter", _FILES)

    def hydrate(self, datacache_store: Any, replica_count: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("FileDataset.hydrate", _FILES)

    def mount(self, mount_point: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("FileDataset.mount", _FILES)

    def random_split(self, percentage: Any, seed: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("FileDataset.random_split", _FILES)

    def take_sample(self, probability: Any, seed: Any = None) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("FileDataset.take_sample", _FILES)


class AbsentTabularDatasetFactory:
    """What a Dataset.Tabular lacks."""

    @staticmethod
    def from_sql_query(query: Any, validate: Any = True, set_column_types: Any = None, query_timeout: Any = 30) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("Dataset.Tabular.from_sql_query", _PANDAS)

    @staticmethod
    def register_dask_dataframe(
        dataframe: Any, target: Any, name: Any, description: Any = None, tags: Any = None, show_progress: Any = True
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("Dataset.Tabular.register_dask_dataframe", _PANDAS)

    @staticmethod
    def register_spark_dataframe(
        dataframe: Any, target: Any, name: Any, description: Any = None, tags: Any = None, show_progress: Any = True
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("Dataset.Tabular.register_spark_dataframe", _PANDAS)


class AbsentDatastore:
    """What a Datastore lacks."""

    @staticmethod
    def register_azure_blob_container(
        workspace: Any,
        datastore_name: Any,
        container_name: Any,
        account_name: Any,
        sas_token: Any = None,
        account_key: Any = None,
        protocol: Any = None,
        endpoint: Any = None,
        overwrite: Any = False,
        create_if_not_exists: Any = False,
        skip_validation: Any = False,
        blob_cache_timeout: Any = None,
        grant_workspace_access: Any = False,
        subscription_id: Any = None,
        resource_group: Any = None,
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("Datastore.register_azure_blob_container", _STORES)

    @staticmethod
    def register_azure_data_lake_gen2(
        workspace: Any,
        datastore_name: Any,
        filesystem: Any,
        account_name: Any,
        tenant_id: Any = None,
        client_id: Any = None,
        client_secret: Any = None,
        resource_url: Any = None,
        authority_url: Any = None,
        protocol: Any = None,
        endpoint: Any = None,
        overwrite: Any = False,
        subscription_id: Any = None,
        resource_group: Any = None,
        grant_workspace_access: Any = False,
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("Datastore.register_azure_data_lake_gen2", _STORES)

    @staticmethod
    def register_azure_file_share(
        workspace: Any,
        datastore_name: Any,
        file_share_name: Any,
        account_name: Any,
        sas_token: Any = None,
        account_key: Any = None,
        protocol: Any = None,
        endpoint: Any = None,
        overwrite: Any = False,
        create_if_not_exists: Any = False,
        skip_validation: Any = False,
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("Datastore.register_azure_file_share", _STORES)
