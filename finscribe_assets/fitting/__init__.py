"""Fit recipes to real documents, and test how far synthetic pages still are from them."""
