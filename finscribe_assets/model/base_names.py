"""Names of base models. Imports nothing, so that settings and ``--help`` do not load torch."""

EMBEDDED = "embedded"  # the checkpoint that this package ships
