"""A drawn document → page images and the exact boxes of what they print.

What belongs here: templates, layout engines, rasterising, damage to pixels, and pages as files. What is printed is the
document's business (documents/printed_values.py); rendering decides only where.
"""
