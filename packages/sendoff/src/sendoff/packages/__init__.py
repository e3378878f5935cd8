"""Packages: models, code and environment as an image, or as a folder to build one from."""
