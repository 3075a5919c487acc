"""Pairs and pages in the forms that trainers load.

What belongs here: one module for each form, which writes it, says what loads it, and refuses whatever that loader would
drop without a word; and what the forms share: samples, file names, checks. Reading a form back for training here is no
business of this package: trainers here read the pairs themselves.
"""
