"""Where services run: the Target Protocol, a table of targets, and one module per target."""
