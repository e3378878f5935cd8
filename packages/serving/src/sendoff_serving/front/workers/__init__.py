"""The worker processes and the requests that they are given."""
