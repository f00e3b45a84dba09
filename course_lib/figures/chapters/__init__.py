"""Drawings that one chapter alone uses: one module per chapter."""
