"""`finscribe …`: each stage on plain files, without Dagster.

What belongs here: arguments, help texts, progress bars and printed summaries; one module for each group of commands.
The work is done by the library. Heavy libraries are imported inside commands, so that `--help` is quick.

Commands share a workspace: a folder in which each stage has a folder (documents/, images/, pairs/, splits/).
"""

from finscribe_assets.cli.app import app

__all__ = ["app"]
