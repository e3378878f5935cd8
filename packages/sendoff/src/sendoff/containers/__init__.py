"""A container engine with Docker's API: which one is meant, and what its failures mean."""
