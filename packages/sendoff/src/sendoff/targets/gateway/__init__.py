"""The gateway: one Envoy a home, which owns the ports of services whose servers come and go behind it.

``config`` says what Envoy is told, ``gateway`` keeps its process and tells it.
"""
