"""The table of routes, one noun a file."""

from . import blobs, environments, facts, identity, models, operations, packages, services, workspaces

ROUTES = (
    *facts.ROUTES,
    *blobs.ROUTES,
    *workspaces.ROUTES,
    *models.ROUTES,
    *environments.ROUTES,
    *services.ROUTES,
    *identity.ROUTES,
    *packages.ROUTES,
    *operations.ROUTES,
)
