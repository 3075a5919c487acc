"""Designed experiments on a reader: which factors of a document make it fail, at which elements, and by how much.

What belongs here: the factors that a recipe can set, documents drawn with a factor off and on, the order in which they
are read, the statistics of effects, and the map of a reader beside its base. What follows from an effect – causes,
plans – is mining's; how a document is drawn is the generator's.
"""
