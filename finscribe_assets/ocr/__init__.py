"""Optical character recognition that is independent of the models trained here.

What belongs here: the interfaces to find and to read printed lines (`line_protocols`), RapidOCR as their implementation
(`rapidocr_engine`), and the verification of rendered pages by such a reader (`page_verification`,
`failure_pictures`). What does not: reading with the models trained here (`model`, `inference`).
"""
