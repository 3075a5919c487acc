"""An OCR engine that is independent of the models trained here: text detection and recognition.

It verifies rendered pages and finds text lines on pages without known boxes. Not here: what is done with the results.
"""
