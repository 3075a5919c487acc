"""The HTTP service of `finscribe serve`: documents in, records out, with limits, metrics and a log of readings."""
