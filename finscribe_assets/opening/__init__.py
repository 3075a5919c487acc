"""Open documents of unknown origin: PDFs and images become pages, within limits, in a process of their own.

What belongs here: recognising, checking and decoding files, and turning their pages upright. Whatever opens a file that
a user hands in opens it through this package: `import`, `extract`, a service. What does not: what the pages say.
"""
