"""`finscribe …`: each stage on plain files, without Dagster.

What belongs here: arguments, help that teaches, progress bars, and a printed summary. The work is the library's. Heavy
libraries are imported inside commands, so that `--help` is quick.

Stages share a workspace: a folder in which each stage keeps a folder of its own (documents/, images/, pairs/, splits/).
"""

from finscribe_assets.cli.app import app

__all__ = ["app"]
