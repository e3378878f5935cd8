"""The table of routes, one noun a file."""

from ..route import Route
from . import (
    blobs,
    computes,
    datasets,
    datastores,
    drift,
    environments,
    events,
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

ROUTES: tuple[Route, ...] = (
    *facts.routes(lambda: ROUTES),
    *blobs.ROUTES,
    *workspaces.ROUTES,
    *models.ROUTES,
    *environments.ROUTES,
    *datastores.ROUTES,
    *datasets.ROUTES,
    *services.ROUTES,
    *modeldata.ROUTES,
    *drift.ROUTES,
    *events.ROUTES,
    *identity.ROUTES,
    *computes.ROUTES,
    *runs.ROUTES,
    *secrets.ROUTES,
    *packages.ROUTES,
    *profiles.ROUTES,
    *operations.ROUTES,
)
