"""The command that describes formats: schema."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer
from rich.markup import escape

from finscribe_assets.cli.console_output import console, show


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(schema)


def schema(
    of: Annotated[
        Literal["document", "report"],
        typer.Option(help="Whose schema is printed: a document's, or an evaluation report's."),
    ] = "document",
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the data dictionary of documents instead, as in docs/.")
    ] = False,
    mapping: Annotated[
        str | None,
        typer.Option(
            help="Check a mapping of your own keys, a YAML file or a shipped one's name, and show it as a table."
        ),
    ] = None,
    mappings: Annotated[bool, typer.Option("--mappings", help="List the mappings that are shipped.")] = False,
) -> None:
    """Print a JSON Schema: of documents (the ground-truth format, with EN 16931 codes) or of evaluation reports.

    With --mapping, print what each key of a mapping means, and the JSON that it asks a model for.
    """
    if mapping is not None:
        _show_mapping(mapping)
        return
    if mappings:
        _show_mappings()
        return
    from finscribe_assets.documents.data_dictionary import data_dictionary
    from finscribe_assets.documents.schema import Document

    if markdown:
        typer.echo(data_dictionary(), nl=False)
    elif of == "document":
        typer.echo(json.dumps(Document.model_json_schema(), ensure_ascii=False, indent=2))
    else:
        from finscribe_assets.evaluation.report import EvaluationReport

        typer.echo(json.dumps(EvaluationReport.model_json_schema(mode="serialization"), ensure_ascii=False, indent=2))


def _show_mapping(name: str) -> None:
    from finscribe_assets.schema_mapping.key_writing import structure
    from finscribe_assets.schema_mapping.mapping_files import load_mapping

    found = load_mapping(name)
    show(
        f"{found.name}: {len(found.keys)} keys",
        [
            {
                "key": escape(key.key),
                "field": escape(" + ".join(key.paths)) or "(none in the schema)",
                "value": key.type,
                "errors count as": key.element,
                "written": key.write,
            }
            for key in found.keys
        ],
    )
    stated = (
        ("source", found.source),
        ("locale", found.locale),
        ("currency", found.currency),
        ("labelled", found.labelled),
        ("absent", found.absent),
    )
    for label, value in stated:
        if value:
            console.print(f"{label}: {value}", markup=False, highlight=False, soft_wrap=True)
    example = json.dumps(structure(found), ensure_ascii=False)
    console.print(f"asked for: {example}", markup=False, highlight=False, soft_wrap=True)


def _show_mappings() -> None:
    from finscribe_assets.schema_mapping.mapping_files import load_mapping, shipped_mappings

    found = [load_mapping(name) for name in shipped_mappings()]
    show(
        "shipped mappings",
        [{"--schema": one.name, "keys": len(one.keys), "of": escape(one.source)} for one in found],
    )
