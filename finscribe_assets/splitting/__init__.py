"""Split documents into train, validation and test, and record the data set in a manifest.

What belongs here: the assignment of groups to splits, the search for near-duplicate pages, the checks for leaks between
splits, and the manifest from which a data set can be rebuilt. What does not: anything that reads the splits in order to
train or evaluate.
"""
