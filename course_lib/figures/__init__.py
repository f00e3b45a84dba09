"""Drawings and plots. Functions draw what the caller computed, return a figure or an SVG, and show nothing."""
