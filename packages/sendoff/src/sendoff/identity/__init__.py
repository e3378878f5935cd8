"""Who may ask a service: keys, tokens, certificates, and what the scoring server needs to check them."""

from .identity import Identity, Rule

__all__ = ["Identity", "Rule"]
