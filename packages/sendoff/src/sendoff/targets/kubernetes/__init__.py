"""The kubernetes target: one rolling Deployment a service, by server-side apply (docs/kubernetes.md)."""
