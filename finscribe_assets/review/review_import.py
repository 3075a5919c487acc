"""Read what people corrected as a folder of labelled documents, which `finscribe import` takes.

Each document gets a folder of its own with its file (or the images of its pages) and its ground truth beside it, and a
row in ``review-report.json``: what was changed, how long it took, and the split of its vendor.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from finscribe_assets.errors import UserError
from finscribe_assets.exporting.file_names import file_name_for
from finscribe_assets.files import read_json, sha256_of_file, write_json
from finscribe_assets.importing.vendor_splits import split_by_vendor, vendor_keys, vendors_of
from finscribe_assets.review.corrected_truth import CorrectedTruth, truth_of
from finscribe_assets.review.correction_changes import Annotators, Changes, agreed, changes_of
from finscribe_assets.review.label_studio_answers import read_label_studio
from finscribe_assets.review.marked_values import AnswerState, DocumentAnswers
from finscribe_assets.review.ppocr_labels import read_ppocr_labels
from finscribe_assets.review.review_set import ReviewDocument, ReviewSet
from finscribe_assets.splitting.split_assignment import Split

REVIEW_REPORT_FILE = "review-report.json"
CORRECTED_DOCUMENTS = "documents"  # folder beside the report, which is no ground truth of a document
_SECONDS = 60.0


@dataclass
class ReviewReport:
    """What became of each document of a review."""

    documents: list[dict[str, Any]] = field(default_factory=list)

    def totals(self) -> dict[str, Any]:
        """Return counts over all documents; times are minutes for each correction."""
        done = [record for record in self.documents if record["state"] == AnswerState.DONE]
        minutes = [record["minutes"] for record in done if record["minutes"] is not None]
        changes = [record["changes"] for record in done]
        return {
            "documents": dict(Counter(str(record["state"]) for record in self.documents)),
            "values_confirmed": sum(change["confirmed"] for change in changes),
            **{
                f"values_{name}": sum(len(change[name]) for change in changes)
                for name in ("changed", "moved", "added", "deleted")
            },
            "problems": sum(len(record["problems"]) for record in done),
            "several_annotators": sum(record["annotators"] > 1 for record in done),
            "fields_that_annotators_differ_on": sum(record["differing_fields"] for record in done),
            "minutes": {
                "corrections_timed": len(minutes),
                "total": round(sum(minutes), 2),
                "median": round(median(minutes), 2) if minutes else None,
            },
            "splits": dict(sorted(Counter(str(record["split"]) for record in done).items())),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON value."""
        return {"totals": self.totals(), "documents": self.documents}


def import_review(
    answers_file: Path,
    review_folder: Path,
    out: Path,
    *,
    annotators: Annotators = Annotators.LATEST,
    locale: str | None = None,
) -> ReviewReport:
    """Write the ground truth of the documents that people corrected; earlier ones in the folder stay.

    Args:
        answers_file: export of Label Studio as JSON, or PPOCRLabel's ``Label.txt``.
        review_folder: what `export_review` wrote.
        out: folder of labelled documents.
        annotators: whose answer counts where several people corrected a document.
        locale: locale of documents for which nobody chose one.

    Raises:
        UserError: the answers are not of this review, or ``out`` holds other files.
    """
    review = ReviewSet.read(review_folder)
    if not answers_file.is_file():
        raise UserError(f"{answers_file}: no such file; name Label Studio's export as JSON, or PPOCRLabel's Label.txt")
    read = read_ppocr_labels if answers_file.suffix.lower() == ".txt" else read_label_studio
    answers = read(answers_file, review)
    earlier = _earlier_records(out)
    report, records = ReviewReport(), dict(earlier)
    for document in review.documents:
        found = answers.get(document.id, DocumentAnswers(AnswerState.OPEN))
        if found.state is AnswerState.DONE:
            records[document.id] = _write_document(document, review, found, review_folder, out, annotators, locale)
        elif document.id not in earlier:
            records[document.id] = {"id": document.id, "state": str(found.state)}
    _assign_splits(records, {id_: Split(record["split"]) for id_, record in earlier.items() if "split" in record})
    _state_splits(records, out)
    report.documents = [records[id_] for id_ in sorted(records)]
    write_json(out / REVIEW_REPORT_FILE, report.to_json())
    return report


def _earlier_records(out: Path) -> dict[str, dict[str, Any]]:
    path = out / REVIEW_REPORT_FILE
    if not path.is_file():
        if out.exists() and any(out.iterdir()):
            raise UserError(f"{out}: holds files that no review wrote; name a new folder, or one of an earlier review")
        return {}
    try:
        return {str(record["id"]): record for record in read_json(path)["documents"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not the report of a review ({error!r}); name a new folder") from error


def _write_document(
    document: ReviewDocument,
    review: ReviewSet,
    found: DocumentAnswers,
    review_folder: Path,
    out: Path,
    annotators: Annotators,
    locale: str | None,
) -> dict[str, Any]:
    """Write a document's files, and return its record of the report."""
    truths = [truth_of(document, review.fields, answer, locale) for answer in found.answers]
    last = found.answers[-1]
    truth, differing = truths[-1], 0
    if annotators is Annotators.AGREED and len(truths) > 1:
        truth, differing = agreed(truths)
    notes = _write_files(document, truth, review_folder, out / CORRECTED_DOCUMENTS / file_name_for(document.id))
    changes: Changes = changes_of(document, last)
    seconds = [answer.seconds for answer in found.answers if answer.seconds is not None]
    return {
        "id": document.id,
        "state": str(AnswerState.DONE),
        "folder": f"{CORRECTED_DOCUMENTS}/{file_name_for(document.id)}",
        "values": len(truth.values),
        "labelled": len(truth.labelled),
        "locale": truth.locale,
        "vendor_keys": list(vendor_keys(truth.values)),
        "annotators": len(found.answers),
        "annotator": last.annotator,
        "differing_fields": differing,
        "minutes": round(sum(seconds) / _SECONDS, 2) if seconds else None,
        "changes": changes.to_json(),
        "problems": list(truth.problems),
        "notes": notes,
    }


def _write_files(document: ReviewDocument, truth: CorrectedTruth, review_folder: Path, folder: Path) -> list[str]:
    """Write the pages and the ground truth of a document, under the name that `import` derives its id from."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    notes = []
    source = Path(document.file) if document.file else None
    if source is not None and source.is_file() and sha256_of_file(source) == document.sha256:
        shutil.copyfile(source, folder / source.name)
        stem = source.stem
    else:
        if source is not None:
            notes.append("its file has gone or changed since the export: the images of its pages take its place")
        stem = file_name_for(document.id)
        for number, page in enumerate(document.pages, 1):
            image = review_folder / page.image
            if not image.resolve().is_relative_to(review_folder.resolve()):
                raise UserError(f"{page.image}: leads out of {review_folder}; export again")
            shutil.copyfile(image, folder / f"{stem}-{number}{image.suffix}")
    write_json(folder / f"{stem}.json", truth.to_json())
    return notes


def _assign_splits(records: dict[str, dict[str, Any]], earlier: dict[str, Split]) -> None:
    """Set the split of each corrected document."""
    done = {id_: record for id_, record in records.items() if record["state"] == AnswerState.DONE}
    vendors = vendors_of({id_: tuple(record["vendor_keys"]) for id_, record in done.items()})
    for id_, split in split_by_vendor(vendors, earlier).items():
        done[id_] |= {"vendor": vendors[id_], "split": str(split)}


def _state_splits(records: dict[str, dict[str, Any]], out: Path) -> None:
    """Write its split into the ground truth of each document; later answers may have changed those of earlier ones."""
    for record in records.values():
        if record["state"] != AnswerState.DONE:
            continue
        for file in (out / record["folder"]).glob("*.json"):
            truth = read_json(file)
            if truth.get("split") != record["split"]:
                write_json(file, truth | {"split": record["split"]})
