"""Render drawn documents to page images, with exact boxes of everything that they print.

What belongs here: templates, layout engines, rasterising, damage to pixels, and pages as files. What is printed is
decided in `documents.printed_values`; rendering decides only where.
"""
