"""HTTP/1.1: connections, heads, limits, TLS; it knows nothing of scoring."""
