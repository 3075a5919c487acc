"""Why a reader fails, and what to draw next so that it fails less.

What belongs here: the first cause of each failure, weak cells and their statistics, the knobs that failures share, the
plan of the next batch, and the decision whether there is a next one.
"""
