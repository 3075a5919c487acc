"""Reading with a trained model: images to text, pages to documents, batches to prediction files.

What belongs here: generation with token probabilities, where the regions of a page come from, and the predictions'
format. Whether a prediction is right is evaluation's business.
"""
