"""The table of routes, one noun a file."""

from . import (
    blobs,
    computes,
    datasets,
    datastores,
    environments,
    facts,
    identity,
    modeldata,
    models,
    operations,
    packages,
    profiles,
    runs,
    secrets,
    services,
    workspaces,
)

ROUTES = (
    *facts.ROUTES,
    *blobs.ROUTES,
    *workspaces.ROUTES,
    *models.ROUTES,
    *environments.ROUTES,
    *datastores.ROUTES,
    *datasets.ROUTES,
    *services.ROUTES,
    *modeldata.ROUTES,
    *identity.ROUTES,
    *computes.ROUTES,
    *runs.ROUTES,
    *secrets.ROUTES,
    *packages.ROUTES,
    *profiles.ROUTES,
    *operations.ROUTES,
)
