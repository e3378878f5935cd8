"""Code and models on their way to a target: source folders are collected, bundles assembled."""
