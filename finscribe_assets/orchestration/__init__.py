"""The Dagster side: the only package that imports dagster.

What belongs here: assets, sensors, jobs, resources, partitions and the I/O manager, which load, call the library and
attach metadata. Not here: anything that a command line could not do too.
"""
