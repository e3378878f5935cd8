"""Measuring what a model needs: load, meters, the knee, the recommendation, the chart."""
