"""Find out why a reader fails, and plan the documents that teach it.

What belongs here: the cause of each failure, weak cells and their statistics, the drawn values that failures are
attributed to, and the plan of the next batch. Whether there is a next batch is decided in `iteration`.
"""
