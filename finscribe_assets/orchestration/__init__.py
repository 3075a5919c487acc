"""The only place that imports dagster: load, call the library, attach metadata.

What belongs here: assets, jobs, sensors, partitions, resources and I/O managers. What does not: anything that could be
used without Dagster, which the library's folders hold.
"""
