"""Pretrain the embedded base from random weights, score it and describe it.

What belongs here: the recipe, the corpus of printed lines, the training phases, scores on unseen documents, the model
card. Not here: adapters (`training`) and everything that uses a finished base (`model`, `inference`).
"""
