"""Members of SDK v1's datasets and datastores that Sendoff does not have: each says what to use instead."""

from __future__ import annotations

from ..unsupported import refusing

_PANDAS = "Do it with pandas: dataset.to_pandas_dataframe()."
_FILES = "Use download() and read the files where they are then."
_STORES = "Use the default datastore, or files and folders of this machine."


dataset = refusing(
    "Dataset",
    {
        _PANDAS: """
            get_partition_key_values(self, partition_keys=None)
            partition_keys
        """,
    },
)


tabular_dataset = refusing(
    "TabularDataset",
    {
        _PANDAS: """
            download(self, stream_column, target_path=None, overwrite=False, ignore_not_found=True)
            filter(self, expression)
            get_profile(self, workspace=None)
            get_profile_runs(self, workspace=None)
            mount(self, stream_column, mount_point=None)
            partition_by(self, partition_keys, target, name=None, show_progress=True,
                partition_as_file_dataset=False)
            random_split(self, percentage, seed=None)
            submit_profile_run(self, compute_target, experiment, cache_datastore_name=None)
            take_sample(self, probability, seed=None)
            time_after(self, start_time, include_boundary=True, validate=True)
            time_before(self, end_time, include_boundary=True, validate=True)
            time_between(self, start_time, end_time, include_boundary=True, validate=True)
            time_recent(self, time_delta, include_boundary=True, validate=True)
            timestamp_columns
            to_csv_files(self, separator=',')
            to_dask_dataframe(self, sample_size=10000, dtypes=None, on_error='null', out_of_range_datetime='null')
            to_parquet_files(self)
            to_spark_dataframe(self)
            with_timestamp_columns(self, timestamp=None, partition_timestamp=None, validate=False)
        """,
    },
)


file_dataset = refusing(
    "FileDataset",
    {
        _FILES: """
            as_cache(self, datacache_store)
            as_hdfs(self)
            file_metadata(self, col)
            filter(self, expression)
            hydrate(self, datacache_store, replica_count=None)
            mount(self, mount_point=None)
            random_split(self, percentage, seed=None)
            take_sample(self, probability, seed=None)
        """,
    },
)


tabular_factory = refusing(
    "Dataset.Tabular",
    {
        _PANDAS: """
            from_sql_query(query, validate=True, set_column_types=None, query_timeout=30)
            register_dask_dataframe(dataframe, target, name, description=None, tags=None, show_progress=True)
            register_spark_dataframe(dataframe, target, name, description=None, tags=None, show_progress=True)
        """,
    },
)


datastore = refusing(
    "Datastore",
    {
        "Both datastores belong to every workspace.": "unregister(self)",
        _STORES: """
            register_azure_blob_container(workspace, datastore_name, container_name, account_name, sas_token=None,
                account_key=None, protocol=None, endpoint=None, overwrite=False, create_if_not_exists=False,
                skip_validation=False, blob_cache_timeout=None, grant_workspace_access=False, subscription_id=None,
                resource_group=None)
            register_azure_data_lake_gen2(workspace, datastore_name, filesystem, account_name, tenant_id=None,
                client_id=None, client_secret=None, resource_url=None, authority_url=None, protocol=None,
                endpoint=None, overwrite=False, subscription_id=None, resource_group=None,
                grant_workspace_access=False)
            register_azure_file_share(workspace, datastore_name, file_share_name, account_name, sas_token=None,
                account_key=None, protocol=None, endpoint=None, overwrite=False, create_if_not_exists=False,
                skip_validation=False)
        """,
    },
)
