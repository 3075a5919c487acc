"""Versions of the stages whose assets Dagster compares with stored data; each is part of its stage's fingerprints.

They are here so that the definitions load without the stages themselves. CONTRIBUTING.md states when each is raised.
"""

GENERATOR_VERSION = 8  # what a plan draws
RENDERER_VERSION = 7  # what a document looks like, and its boxes
PAIRS_VERSION = 6  # what is asked and answered
SPLITS_VERSION = 4  # which split a document is in
EXAM_VERSION = 2  # the exam's documents, and how readers are scored on them
TRAINER_VERSION = 4  # the weights that training ends with
IMPORTER_VERSION = 6  # the records that an imported folder gives
MEASURES_VERSION = 1  # the numbers that a page is measured with
