"""What Envoy is told, as documents of its v3 API: pure functions from routes.

A listener and a cluster a service; the cluster's endpoints are a document of their own, so that an update of a service
touches neither its listener nor the connections of its clients.
"""

from __future__ import annotations

from typing import Any

from .base import Route

_TYPE = "type.googleapis.com/envoy."
_LISTENER = f"{_TYPE}config.listener.v3.Listener"
_CLUSTER = f"{_TYPE}config.cluster.v3.Cluster"
_ENDPOINTS = f"{_TYPE}config.endpoint.v3.ClusterLoadAssignment"
_SECRET = f"{_TYPE}extensions.transport_sockets.tls.v3.Secret"
_TLS = f"{_TYPE}extensions.transport_sockets.tls.v3.DownstreamTlsContext"
_HTTP_OPTIONS = f"{_TYPE}extensions.upstreams.http.v3.HttpProtocolOptions"
# Less than the front's own 75 s: a connection that the front is about to close must not be given a request.
IDLE = "60s"
# The front bounds heads (64 KiB, 100 fields) and answers in its own words; these only bound what reaches it.
HEAD_KB, HEAD_FIELDS = 96, 250
# Forward secrecy and authenticated encryption alone, as the scoring server's own TLS; 1.3 has nothing else.
_CIPHERS = [f"ECDHE-{key}-{cipher}" for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
            for key in ("ECDSA", "RSA")]  # fmt: skip
_CASE = {
    "header_key_format": {
        "stateful_formatter": {
            "name": "preserve_case",
            "typed_config": {
                "@type": f"{_TYPE}extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"
            },
        }
    }
}


def bootstrap(folder: str, admin: str, node: str) -> dict[str, Any]:
    """The fixed part: where the documents are, and the socket on which Envoy tells what it has taken.

    Args:
        folder: Where ``listeners.json`` and ``clusters.json`` are, absolute.
        admin: Path of the admin socket.
        node: What this Envoy is called.
    """
    return {
        "node": {"id": node, "cluster": "sendoff"},
        "admin": {"address": {"pipe": {"path": admin, "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": _file(f"{folder}/listeners.json", folder),
            "cds_config": _file(f"{folder}/clusters.json", folder),
        },
        # Without a bound of its own Envoy says so in every log.
        "layered_runtime": {
            "layers": [{"name": "static", "static_layer": {"overload": {"global_downstream_max_connections": 50_000}}}]
        },
    }


def listeners(routes: list[Route], folder: str) -> dict[str, Any]:
    """Every service's listener."""
    return {"resources": [_listener(route, folder) for route in routes]}


def certificate(route: Route) -> dict[str, Any]:
    """Which files one service's certificate is in: a document of its own, so that a new one changes no listener."""
    assert route.certificate is not None
    files = {
        "certificate_chain": {"filename": route.certificate},
        "private_key": {"filename": key_of(route.certificate)},
    }
    return {"resources": [{"@type": _SECRET, "name": route.name, "tls_certificate": files}]}


def key_of(certificate: str) -> str:
    """The file of a certificate's key."""
    return certificate.removesuffix(".crt") + ".key"


def clusters(routes: list[Route], folder: str) -> dict[str, Any]:
    """Every service's cluster."""
    return {"resources": [_cluster(route, folder) for route in routes]}


def endpoints(route: Route) -> dict[str, Any]:
    """The servers of one service."""
    found = []
    for endpoint in route.endpoints:
        host, _, port = endpoint.rpartition(":")
        found.append({"endpoint": {"address": _address(host.strip("[]"), int(port))}})
    entry = {"@type": _ENDPOINTS, "cluster_name": route.name, "endpoints": [{"lb_endpoints": found}]}
    return {"resources": [entry]}


def _file(path: str, folder: str) -> dict[str, Any]:
    return {
        "resource_api_version": "V3",
        "path_config_source": {"path": path, "watched_directory": {"path": folder}},
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _tls(route: Route, folder: str) -> dict[str, Any]:
    """HTTPS at a listener."""
    if route.certificate is None:
        return {}
    secret = {"name": route.name, "sds_config": _file(f"{folder}/secrets/{route.name}.json", f"{folder}/secrets")}
    common = {
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_2",
            "tls_maximum_protocol_version": "TLSv1_3",
            "cipher_suites": _CIPHERS,
        },
        "alpn_protocols": ["http/1.1"],
        "tls_certificate_sds_secret_configs": [secret],
    }
    return {"transport_socket": {"name": "tls", "typed_config": {"@type": _TLS, "common_tls_context": common}}}


def _listener(route: Route, folder: str) -> dict[str, Any]:
    manager = {
        "@type": f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "service",
        "codec_type": "AUTO",
        # A listener may be read before its cluster: then requests get 503 for a moment, and the listener stays.
        "route_config": {
            "virtual_hosts": [_host(route)],
            "validate_clusters": False,
            # What a client says of it counts for nothing.
            "request_headers_to_add": [_put("x-forwarded-proto", "http" if route.certificate is None else "https")],
        },
        "http_filters": [
            {
                "name": "router",
                "typed_config": {
                    "@type": f"{_TYPE}extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                },
            }
        ],
        # The front answers for itself, and its deadline is the service's: nothing is changed, added or cut on the way.
        "generate_request_id": False,
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
        "use_remote_address": False,
        "skip_xff_append": True,
        "proxy_100_continue": True,
        "stream_idle_timeout": "0s",
        "request_timeout": "0s",
        "drain_timeout": "1s",
        "max_request_headers_kb": HEAD_KB,
        "common_http_protocol_options": {"idle_timeout": "3600s", "max_headers_count": HEAD_FIELDS},
        "http_protocol_options": {"accept_http_10": True, "default_host_for_http_10": "localhost", **_CASE},
        "local_reply_config": _own_words(),
    }
    return {
        "@type": _LISTENER,
        "name": route.name,
        "address": _address(route.host, route.port),
        # With it a second process of this user could take every other connection of the port.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}], **_tls(route, folder)}],
    }


def _put(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _host(route: Route) -> dict[str, Any]:
    return {
        "name": route.name,
        "domains": ["*"],
        "routes": [
            {
                "match": {"prefix": "/"},
                "route": {
                    "cluster": route.name,
                    "timeout": "0s",
                    # Only what surely never reached the server is sent again: run() may have an effect.
                    "retry_policy": {
                        "retry_on": "connect-failure,refused-stream,reset-before-request",
                        "num_retries": 5,
                        "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
                    },
                },
            }
        ],
    }


def _cluster(route: Route, folder: str) -> dict[str, Any]:
    bounds = {"max_connections": 10_000, "max_pending_requests": 100_000, "max_requests": 100_000, "max_retries": 1000}
    return {
        "@type": _CLUSTER,
        "name": route.name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _file(f"{folder}/endpoints/{route.name}.json", f"{folder}/endpoints")},
        "connect_timeout": "2s",
        "circuit_breakers": {"thresholds": [bounds]},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP_OPTIONS,
                "common_http_protocol_options": {"idle_timeout": IDLE, "max_headers_count": HEAD_FIELDS},
                "explicit_http_config": {"http_protocol_options": _CASE},
            }
        },
    }


def _own_words() -> dict[str, Any]:
    """What Envoy answers itself has the form of the front's errors (docs/scoring-server.md, "Errors")."""
    return {
        "body_format": {
            "json_format": {
                "status_code": "%RESPONSE_CODE%",
                "message": "No server of this service answers (%RESPONSE_CODE_DETAILS%)",
                "code": "not_ready",
                "hint": "the service's state says why",
            }
        }
    }
