"""Sendoff: from a trained model's file to an answered request."""
