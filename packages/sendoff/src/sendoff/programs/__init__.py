"""Processes that we start ourselves: each is given a core, as the server and the client without one are."""
