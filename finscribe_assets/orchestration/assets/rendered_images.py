"""Asset `rendered_images`: the page images of a batch, with the exact boxes of what they print."""

from collections import Counter
from typing import TYPE_CHECKING

import dagster as dg
from upath import UPath

from finscribe_assets.errors import UserError
from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import column_schema, picture, table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import ProfileResource, Storage, Workers
from finscribe_assets.shards import row_count, shard_files
from finscribe_assets.stage_versions import RENDERER_VERSION

if TYPE_CHECKING:
    from finscribe_assets.documents.drawn_document import DrawnDocument
    from finscribe_assets.rendering.pages import RenderedDocument


SHEET_BYTES, SHEET_WIDTH = 100_000, 1400  # limits of a picture in the event log: bytes, pixels
SHEET_COLUMNS, SHEET_PAGE_WIDTH = 5, 210  # pixels; a sheet that is scaled down afterwards has unreadable captions


@dg.asset(
    **declared("synthesis", "python", "parquet"),
    code_version=str(RENDERER_VERSION),
    description="Page images of the batch's documents, with the exact boxes of all that they print.",
    check_specs=[
        batch_check(
            "boxes_and_ink",
            asset="rendered_images",
            blocking=True,
            description="Every printed value has a box, inside its page, with ink in it.",
        ),
        batch_check(
            "few_rejects",
            asset="rendered_images",
            blocking=True,
            description="At most one document in a hundred, or one, fails the checks of its pages and is left out.",
        ),
    ],
)
def rendered_images(
    context: dg.AssetExecutionContext,
    synthetic_documents: UPath,
    storage: Storage,
    profile: ProfileResource,
    workers: Workers,
) -> dg.MaterializeResult:
    """Render the batch's documents, shard by shard."""
    from finscribe_assets.documents.document_batch import read_documents
    from finscribe_assets.rendering.page_batch import read_rendered, render_batch
    from finscribe_assets.rendering.page_checks import page_problems
    from finscribe_assets.rendering.pages import PAGE_TABLE_SCHEMA
    from finscribe_assets.rendering.preview import preview_png

    folder = storage.folder_of(context)
    documents = sum(row_count(file) for file in shard_files(synthetic_documents))
    summary = render_batch(
        synthetic_documents,
        folder,
        workers.pool(),
        dpi=profile.dpi,
        on_shard=progress(context, documents, "documents rendered"),
    )
    # Shards are checked while they are rendered; stored pages are checked against their documents once more.
    problems: list[str] = []
    layouts: Counter[tuple[str, str]] = Counter()
    examples: dict[str, tuple[DrawnDocument, RenderedDocument]] = {}  # the first of each layout
    kept = (drawn for drawn in read_documents(synthetic_documents) if drawn.id not in summary.rejects)
    for drawn, rendered in zip(kept, read_rendered(folder), strict=True):
        layouts[drawn.presentation.layout, drawn.presentation.engine] += 1
        problems += [f"{drawn.id}: {problem}" for problem in page_problems(drawn, rendered)]
        examples.setdefault(drawn.presentation.layout, (drawn, rendered))
    if not documents:
        raise UserError(f"{context.partition_key}: the plan has no documents, so there is nothing to render")
    if not examples:
        reason = next(iter(summary.rejects.values()))
        raise UserError(f"{context.partition_key}: every document was rejected; the first: {reason}")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": summary.pages,
            "dagster/column_schema": column_schema(PAGE_TABLE_SCHEMA),
            "documents": documents,
            "rejected": len(summary.rejects),
            "shards": summary.shards,
            "shards_already_there": summary.skipped,
            "layouts": table(
                {"layout": layout, "engine": engine, "documents": count}
                for (layout, engine), count in sorted(layouts.items())
            ),
            "sample_page": picture(preview_png(next(iter(examples.values()))[1]), "a first page with its boxes"),
            "contact_sheet": picture(_contact_sheet(examples, boxes=False), "a first page of each layout"),
            "contact_sheet_with_boxes": picture(_contact_sheet(examples, boxes=True), "the same pages with boxes"),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="boxes_and_ink",
                passed=not problems,
                metadata={"problems": dg.MetadataValue.json(problems[:20]), "documents": documents},
            ),
            dg.AssetCheckResult(
                check_name="few_rejects",
                passed=not summary.too_many_rejects,
                metadata={
                    "rejected": len(summary.rejects),
                    "documents": documents,
                    "reasons": dg.MetadataValue.json(list(summary.rejects.values())[:20]),
                },
            ),
        ],
    )


def _contact_sheet(examples: "dict[str, tuple[DrawnDocument, RenderedDocument]]", *, boxes: bool) -> bytes:
    from finscribe_assets.rendering.preview import contact_sheet, small_png

    shown = [examples[layout] for layout in sorted(examples)]
    sheet = contact_sheet(
        [rendered for _, rendered in shown],
        columns=SHEET_COLUMNS,
        page_width=SHEET_PAGE_WIDTH,
        boxes=boxes,
        captions=[
            f"{drawn.presentation.layout}\n{drawn.document.locale}, {drawn.presentation.font}" for drawn, _ in shown
        ],
    )
    return small_png(sheet, SHEET_BYTES, SHEET_WIDTH, colours=12)
