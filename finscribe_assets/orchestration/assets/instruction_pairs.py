"""Asset `instruction_pairs`: what a model is asked about the pages of a batch, and the response that they show."""

import dagster as dg
from upath import UPath

from finscribe_assets.orchestration.assets.groups import batch_check, declared
from finscribe_assets.orchestration.metadata import column_schema, table
from finscribe_assets.orchestration.progress_messages import progress
from finscribe_assets.orchestration.resources import ProfileResource, Storage, UserSchema, Workers
from finscribe_assets.stage_versions import PAIRS_VERSION

FEWEST_PAIRS = 5  # for each document
MAX_NOT_WHOLE = 0.1  # share of the documents
EXAMPLE_LENGTH = 400  # characters


@dg.asset(
    **declared("dataset", "python", "parquet"),
    code_version=str(PAIRS_VERSION),
    description="Instruction pairs: an image region, a prompt, and the response that its pixels show.",
    check_specs=[
        batch_check(
            "every_document_has_pairs",
            asset="instruction_pairs",
            blocking=True,
            description=f"Each document has at least {FEWEST_PAIRS} pairs.",
        ),
        batch_check(
            "asked_values_are_visible",
            asset="instruction_pairs",
            blocking=True,
            description="Every requested field is printed on its page, or determined by what is printed; where damage "
            "has destroyed it, the response says that it is illegible.",
        ),
        batch_check(
            "answers_are_legible_to_the_model",
            asset="instruction_pairs",
            description="No response needs print that is too small once a page-level model has scaled its image, and "
            f"at most {MAX_NOT_WHOLE:.0%} of the documents are not extracted as a whole for that or for their length. "
            "Documents of which the plan asks for small print or length are not counted.",
        ),
    ],
)
def instruction_pairs(
    context: dg.AssetExecutionContext,
    synthetic_documents: UPath,
    rendered_images: UPath,
    storage: Storage,
    profile: ProfileResource,
    user_schema: UserSchema,
    workers: Workers,
) -> dg.MaterializeResult:
    """Write the batch's pairs, shard by shard."""
    from finscribe_assets.documents.document_batch import read_documents
    from finscribe_assets.documents.page_evidence import askable_fields
    from finscribe_assets.instructions.pair import PAIR_SCHEMA
    from finscribe_assets.instructions.pair_batch import build_pair_batch, review_pairs
    from finscribe_assets.instructions.task_mix import LINE_RECIPE, PairRecipe
    from finscribe_assets.probing.factors import BEYOND_WHOLE_EXTRACTION, present_factors
    from finscribe_assets.rendering.page_batch import destroyed_fields

    folder, mapping = storage.folder_of(context), user_schema.mapping()
    destroyed = destroyed_fields(rendered_images)
    askable: dict[str, frozenset[str]] = {}
    ordinary: set[str] = set()  # documents that the plan did not ask to be long or printed small
    for document in read_documents(synthetic_documents):
        askable[document.id] = frozenset(askable_fields(document, destroyed.get(document.id, ())))
        if present_factors(document).isdisjoint(BEYOND_WHOLE_EXTRACTION):
            ordinary.add(document.id)
    summary = build_pair_batch(
        synthetic_documents,
        rendered_images,
        folder,
        workers.pool(),
        (LINE_RECIPE if profile.reads_lines else PairRecipe()).model_copy(update={"mapping": mapping}),
        on_shard=progress(context, len(askable), "documents paired"),
    )
    reviewed = review_pairs(folder, askable, destroyed)
    not_whole = len(ordinary - reviewed.whole)
    left_out = reviewed.left_out / max(1, reviewed.left_out + reviewed.whole_page_values)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": summary.pairs,
            "dagster/column_schema": column_schema(PAIR_SCHEMA),
            "fewest_of_a_document": summary.fewest_per_document,
            "shards_already_there": summary.skipped,
            "documents_without_determined_currency": reviewed.undetermined,
            "keys": f"{mapping.name}, {mapping.content_hash[:12]}" if mapping else "those of the schema",
            "tasks": table({"task": task, "pairs": count} for task, count in summary.tasks.items()),
            "examples": dg.MetadataValue.md(
                "\n\n".join(
                    f"**{one.task}**\n\n```\n{one.prompt[:EXAMPLE_LENGTH]}\n→ {one.response[:EXAMPLE_LENGTH]}\n```"
                    for one in reviewed.examples
                )
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="every_document_has_pairs",
                passed=summary.fewest_per_document >= FEWEST_PAIRS,
                metadata={"fewest": summary.fewest_per_document},
            ),
            dg.AssetCheckResult(
                check_name="asked_values_are_visible",
                passed=not reviewed.unsupported,
                metadata={"invisible": dg.MetadataValue.json(reviewed.unsupported[:20])},
            ),
            dg.AssetCheckResult(
                check_name="answers_are_legible_to_the_model",
                passed=not reviewed.illegible_to_model and not_whole <= MAX_NOT_WHOLE * len(ordinary),
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "documents_not_extracted_as_a_whole": not_whole,
                    "documents_counted": len(ordinary),
                    "documents_asked_to_be_long_or_small": len(askable) - len(ordinary),
                    "whole_page_values_asked": reviewed.whole_page_values,
                    "whole_page_values_left_out": reviewed.left_out,
                    "share_legible": round(1 - left_out, 4),
                    "too_small": dg.MetadataValue.json(reviewed.illegible_to_model[:20]),
                },
            ),
        ],
    )
