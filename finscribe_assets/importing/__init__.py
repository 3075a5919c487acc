"""Real labelled documents in the form that synthetic ones have: for evaluation only, never for training.

What belongs here: finding documents in a folder, reading their pages and their truth as what strangers wrote, and
writing both as a workspace of the source `real`.
"""
