"""Traces and logs for an OpenTelemetry collector."""
