"""Import real labelled documents in the form of synthetic ones, for evaluation, and for training where it is asked for.

What belongs here: finding documents in a folder, reading pages and ground truth of unknown origin safely, and writing
both as a workspace of the source `real`. What does not: the comparison of predictions with them (`evaluation`).
"""
