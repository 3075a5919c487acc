"""Read with a trained model: images to text, pages to documents, batches to prediction files.

What belongs here: reading in batches with token probabilities, layouts that find the regions of a page, fields from the
texts that were read, and the format of predictions. Whether a prediction is right is decided in `evaluation`.
"""
