"""The names by which a base model can be asked for. Light to import: settings and `--help` need them without torch."""

EMBEDDED = "embedded"  # the checkpoint that this package ships
