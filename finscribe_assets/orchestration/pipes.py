"""Training in another environment, as a Dagster Pipes subprocess of the asset that trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

from finscribe_assets.training.paddle.launching import Command, Launch


def launch_through(context: dg.AssetExecutionContext, client: dg.PipesSubprocessClient) -> Launch:
    """Return what runs a command through Pipes: its log goes to Dagster as it comes, its reports when it has ended."""

    def launch(command: Command) -> Iterator[dict[str, Any]]:
        ended = client.run(context=context, command=command.words, env=command.variables, cwd=str(command.folder))
        for told in ended.get_custom_messages():
            yield dict(told)

    return launch
