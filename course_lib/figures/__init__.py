"""Drawings and plots. Each function returns a matplotlib figure or its axes and shows nothing."""
