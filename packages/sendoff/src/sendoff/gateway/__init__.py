"""The gateway: one Envoy a home, which owns the ports of services whose servers come and go behind it.

``base`` is what it is told of a service, ``config`` says it in Envoy's words, ``gateway`` keeps its process.
"""
