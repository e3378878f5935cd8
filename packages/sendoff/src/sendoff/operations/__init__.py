"""Work that outlives the request for it: its rows, its lease, the process that does it and what is told of it."""
