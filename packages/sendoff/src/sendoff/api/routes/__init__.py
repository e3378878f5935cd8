"""The table of routes, one noun a file."""

from . import (
    blobs,
    datasets,
    datastores,
    environments,
    facts,
    identity,
    models,
    operations,
    packages,
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
    *identity.ROUTES,
    *packages.ROUTES,
    *operations.ROUTES,
)
