"""The option `--schema`: the mapping of a user's keys that a command is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from finscribe_assets.schema_mapping.mapping import SchemaMapping

SchemaName = Annotated[
    str | None,
    typer.Option(
        "--schema",
        help="Mapping of your own JSON keys: a YAML file, or a name that `finscribe schema --mappings` lists, such as "
        "sroie.",
    ),
]


def mapping_given(name: str | None) -> SchemaMapping | None:
    """Return the mapping that was asked for; None if none was.

    Raises:
        UserError: there is no such mapping, or its file is not valid.
    """
    if name is None:
        return None
    from finscribe_assets.schema_mapping.mapping_files import load_mapping

    return load_mapping(name)
