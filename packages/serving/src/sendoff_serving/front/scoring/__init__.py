"""The service's routes: what a request to it means, and what its answer is."""
