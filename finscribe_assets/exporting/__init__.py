"""Export pairs and pages in the file formats that trainers load.

What belongs here: one module for each format, which writes it, names the call that loads it, and rejects every sample
that the loader would drop silently; and what the formats share: samples, file names and checks. What does not: training
in this project, which reads the pairs themselves.
"""
