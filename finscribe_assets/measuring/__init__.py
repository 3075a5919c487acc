"""Measure pages: traits that can be computed from pixels and text, of real and of synthetic documents alike."""
