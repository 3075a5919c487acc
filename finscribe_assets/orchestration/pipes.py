"""Training in another environment: a Dagster Pipes subprocess of the asset that trains.

https://docs.dagster.io/guides/build/external-pipelines
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from finscribe_assets.training.paddle.launching import Launch


def launch_through(context: dg.AssetExecutionContext, client: dg.PipesSubprocessClient) -> Launch:
    """Return a launcher that runs a command through Pipes.

    Its log messages reach Dagster as they come; its reports are yielded when it has ended.
    """
    from finscribe_assets.training.paddle.launching import Command

    def launch(command: Command) -> Iterator[dict[str, Any]]:
        finished = client.run(
            context=context, command=command.arguments, env=command.variables, cwd=str(command.folder)
        )
        for message in finished.get_custom_messages():
            yield dict(message)

    return launch
