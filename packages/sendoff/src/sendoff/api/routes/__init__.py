"""The table of routes, one noun a file."""

from . import blobs, environments, facts, identity, models, operations, services, workspaces

ROUTES = (
    *facts.ROUTES,
    *blobs.ROUTES,
    *workspaces.ROUTES,
    *models.ROUTES,
    *environments.ROUTES,
    *services.ROUTES,
    *identity.ROUTES,
    *operations.ROUTES,
)
