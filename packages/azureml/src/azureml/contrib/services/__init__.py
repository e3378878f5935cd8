"""Request and response of raw HTTP entry scripts."""
