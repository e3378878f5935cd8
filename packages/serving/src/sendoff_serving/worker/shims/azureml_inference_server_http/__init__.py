"""The newer names of the request and response of raw HTTP entry scripts."""
