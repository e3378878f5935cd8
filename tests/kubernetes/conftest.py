"""Services on the tests' real cluster, made with few rights in a namespace of their own."""

from __future__ import annotations

from collections.abc import Iterator

import cluster_rig
import pytest
from cluster_deployments import ClusterDeployments, rights
from cluster_rig import TestCluster
from container_engine import base_image


@pytest.fixture(scope="module")
def home(cluster: TestCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterDeployments]:
    """A home, a namespace, and the cluster attached with few rights; tests deploy under names of their own."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch, cluster_rig.space(folder, rules=rights()) as space:
        patch.setenv("SENDOFF_BASE_IMAGE", base_image())
        patch.setenv("SENDOFF_IMAGE_REGISTRY", f"{cluster.registry}/{space.namespace}")
        rig = ClusterDeployments(folder / "home", space)
        yield rig
        rig.close()
