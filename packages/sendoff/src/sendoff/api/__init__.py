"""The one door: routes, error table, OpenAPI, the server and the client (docs/http-api.md)."""
