"""The SDK: the nouns of Azure ML SDK v1 with the same names and signatures (docs/sdk.md)."""
