"""Name the known traps in checkpoints, adapters, training sets, settings, servers and machines before they hurt.

What belongs here: the catalogue of traps with the public reports of people who fell into them (`traps`), and the checks
that find them without loading a model. Rules about samples and settings belong to the packages that write them
(`exporting`, `training`) and are called from here.
"""
