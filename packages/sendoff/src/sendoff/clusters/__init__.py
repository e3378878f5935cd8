"""How a Kubernetes cluster is reached, and what may be done there (docs/kubernetes.md)."""
