"""Correction of predictions by people: export to labelling tools, and read what they return as ground truth."""
