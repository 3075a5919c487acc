"""Commands that make pictures to look at: contact-sheet, gallery."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from finscribe_assets.cli.console_output import bar, console
from finscribe_assets.cli.synthesis_commands import Workspace, refuse_imported
from finscribe_assets.errors import UserError


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (contact_sheet, gallery):
        app.command()(command)


def contact_sheet(
    workspace: Workspace,
    output: Annotated[Path, typer.Option(help="Picture to write, as PNG.", dir_okay=False)],
    documents: Annotated[int, typer.Option(min=1, max=500, help="Number of documents: the first ones.")] = 12,
    columns: Annotated[int, typer.Option(min=1, max=20, help="Number of pages in a row.")] = 4,
    boxes: Annotated[bool, typer.Option("--boxes/--no-boxes", help="Draw the boxes of fields, cells, regions.")] = True,
    layout: Annotated[list[str] | None, typer.Option(help="Show only this layout; repeatable.")] = None,
) -> None:
    """Draw the first pages of rendered documents on one sheet, with id, layout, locale and font below each.

    Look at a sheet before a long run: faults of pages show at a glance. `finscribe gallery` shows every layout.
    """
    from finscribe_assets.documents.document_batch import read_documents
    from finscribe_assets.documents.layout_families import LAYOUT_FACTS
    from finscribe_assets.files import write_bytes
    from finscribe_assets.rendering.page_sampling import stored_pages
    from finscribe_assets.rendering.preview import caption, png_of
    from finscribe_assets.rendering.preview import contact_sheet as sheet_of

    refuse_imported(workspace)
    unknown = sorted(set(layout or ()) - set(LAYOUT_FACTS))
    if unknown:
        raise UserError(f"--layout: {', '.join(unknown)} is unknown; layouts are {', '.join(LAYOUT_FACTS)}")
    wanted = (
        drawn for drawn in read_documents(workspace / "documents") if not layout or drawn.presentation.layout in layout
    )
    chosen = list(islice(wanted, documents))
    if not chosen:
        raise UserError(f"--layout: no document of {workspace} has {' or '.join(layout or ())}")
    found = list(stored_pages(chosen, workspace / "images"))
    sheet = sheet_of(
        [rendered for _, rendered in found], columns, boxes=boxes, captions=[caption(drawn) for drawn, _ in found]
    )
    write_bytes(output, png_of(sheet, smallest=False))
    console.print(f"Look at {output}: {len(found)} documents")


def gallery(
    output: Annotated[Path, typer.Option(help="Page to write, as Markdown.", dir_okay=False)] = Path("docs/gallery.md"),
    images: Annotated[Path, typer.Option(help="Folder for its pictures.", file_okay=False)] = Path(
        "docs/images/gallery"
    ),
) -> None:
    """Draw one example of every layout, with and without boxes, and of every damage effect.

    The page states for each layout its document types and its structure. The same code writes the same bytes, so that
    a difference in version control is a change of the pages.
    """
    from finscribe_assets.rendering.gallery import write_gallery
    from finscribe_assets.rendering.system_packages import require_system

    require_system()
    with bar(None, "sections") as advance:
        pictures = write_gallery(output, images, advance)
    console.print(f"Look at {output}: {pictures} pictures in {images}")
