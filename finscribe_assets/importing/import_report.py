"""Record what an import did with each document, for `import-report.json` and the summary of `finscribe import`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from finscribe_assets.documents.calculation_rules import Outcome
from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.labelled_fields import unlabelled_fields
from finscribe_assets.importing.labelled_documents import RealDocument, UnlabelledDocument
from finscribe_assets.importing.source_files import DocumentFiles, printable_name
from finscribe_assets.importing.truth_files import broken_rules, count_unmapped
from finscribe_assets.opening.input_limits import Problem

UNCHECKED_NOTE = (
    "all its values count as printed: its pages have no reliable text layer, so which values they show is unknown"
)


@dataclass
class ImportReport:
    """The documents that were accepted, left out as copies and rejected, and counts over all of them."""

    licence: str
    dpi: int
    ignored: tuple[str, ...]  # files that belong to no document
    accepted: list[dict[str, Any]] = field(default_factory=list)
    unlabelled: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)  # of documents that were imported before them
    pages: int = 0
    pairs: int = 0
    unmapped_terms: Counter[tuple[str, str]] = field(default_factory=Counter)  # path and term → documents
    broken_rules: Counter[str] = field(default_factory=Counter)  # rule → documents
    unprinted_fields: Counter[str] = field(default_factory=Counter)  # field → values

    @property
    def document_count(self) -> int:
        """Return the number of documents found."""
        return len(self.accepted) + len(self.unlabelled) + len(self.copies) + len(self.rejected)

    @property
    def unchecked_count(self) -> int:
        """Return the number of accepted documents for which it is unknown what their pages print."""
        return sum(not record["printed_checked"] for record in self.accepted)

    def accept(self, document: RealDocument, pairs: int) -> None:
        """Add an accepted document and its number of instruction pairs."""
        truth = document.truth
        broken, unmapped = broken_rules(truth), count_unmapped(truth.unmapped)
        self.pages += len(document.content.pages)
        self.pairs += pairs
        self.unmapped_terms.update(unmapped.keys())
        if broken is not None:
            self.broken_rules.update({outcome.code for outcome in broken.rules})
        self.unprinted_fields.update(map(field_of, document.unprinted))
        notes = [*document.content.notes, *([] if document.checked else [UNCHECKED_NOTE])]
        notes += [f"{item.field}: {item.reason}; it counts as not labelled" for item in truth.unreadable]
        if document.negated:
            notes.append(
                f"{len(document.negated)} amounts are printed with the other sign, and are expected as printed"
            )
        if broken is None:
            currency = truth.document.currency_code or "an unlabelled currency"
            notes.append(f"arithmetic rules are not checked: the minor unit of {currency} is unknown")
        self.accepted.append(
            {
                "id": document.id,
                "name": printable_name(document.files.name),
                "files": _printable_names(document.hashes),
                "truth": printable_name(document.truth_from),
                "syntax": truth.syntax,
                "locale": truth.document.locale,
                "document_type": str(truth.document.document_type or ""),
                "not_labelled": sorted(unlabelled_fields(truth.labelled)),
                "pages": len(document.content.pages),
                "turned": [turn.to_json() for turn in document.content.turns],
                "values_printed": len(document.printed),
                "printed_checked": document.checked,
                "printed_decided_by": str(document.decided_by),
                "not_printed": list(document.unprinted),
                "not_mapped": [
                    {"path": path, "term": term, "values": count} for (path, term), count in sorted(unmapped.items())
                ],
                "rules_broken": _outcomes(broken.rules if broken else ()),
                "conventions_not_followed": _outcomes(broken.conventions if broken else ()),
                "notes": notes,
            }
        )

    def state_training(self, documents: Collection[str]) -> None:
        """State which accepted documents are not scored, as they are there to train on or held back for that."""
        for record in self.accepted:
            if record["id"] in documents:
                record["scored"] = False

    @property
    def scored_count(self) -> int:
        """Return the number of accepted documents that are scored."""
        return sum(record.get("scored", True) for record in self.accepted)

    def accept_unlabelled(self, document: UnlabelledDocument) -> None:
        """Add a document without ground truth."""
        pages = len(document.content.pages)
        self.pages += pages
        name, files = printable_name(document.files.name), _printable_names(document.hashes)
        turned = [turn.to_json() for turn in document.content.turns]
        self.unlabelled.append(
            {
                "id": document.id,
                "name": name,
                "files": files,
                "pages": pages,
                "turned": turned,
                "notes": list(document.content.notes),
            }
        )

    def reject(self, files: DocumentFiles, problems: tuple[Problem, ...], hashes: dict[str, str]) -> None:
        """Add a rejected document with all its problems and the hashes of those files that were read."""
        unread = {printable_name(name): None for name in files.files if name not in hashes}
        self.rejected.append(
            {
                "name": printable_name(files.name),
                "files": _printable_names(hashes) | unread,
                "problems": [{"field": problem.field, "reason": problem.reason} for problem in problems],
            }
        )

    def leave_out_copy(self, files: DocumentFiles, first: str, hashes: dict[str, str]) -> None:
        """Add a document that has the same pages as one imported before it; that is no fault of it."""
        self.copies.append(
            {"name": printable_name(files.name), "files": _printable_names(hashes), "copy_of": printable_name(first)}
        )

    def _decided_by(self) -> dict[str, dict[str, int]]:
        """Return for each way in which it was decided what pages print the number of documents and printed values."""
        counts: dict[str, dict[str, int]] = {}
        for record in self.accepted:
            found = counts.setdefault(record["printed_decided_by"], {"documents": 0, "values": 0})
            found["documents"] += 1
            found["values"] += record["values_printed"]
        return dict(sorted(counts.items()))

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON value, which depends only on the imported files."""
        return {
            "source": "real",
            "use": "evaluation only: these documents never enter training"
            if self.scored_count == len(self.accepted)
            else "evaluation, and training on the documents that are not scored",
            "licence": self.licence,
            "dpi": self.dpi,
            "counts": {
                "found": self.document_count,
                "accepted": len(self.accepted),
                "scored": self.scored_count,
                "unlabelled": len(self.unlabelled),
                "copies": len(self.copies),
                "rejected": len(self.rejected),
                "pages": self.pages,
                "pairs": self.pairs,
                "files_ignored": len(self.ignored),
                "printed_not_checked": self.unchecked_count,
            },
            "printed_decided_by": self._decided_by(),
            "accepted": self.accepted,
            "unlabelled": self.unlabelled,
            "copies": self.copies,
            "rejected": self.rejected,
            "not_mapped": [
                {"path": path, "term": term, "documents": count}
                for (path, term), count in sorted(self.unmapped_terms.items())
            ],
            "rules_broken": dict(sorted(self.broken_rules.items())),
            "files_ignored": [printable_name(name) for name in self.ignored],
        }


def _outcomes(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    return [
        {
            "rule": outcome.code,
            "field": outcome.path,
            "expected": format(outcome.expected, "f"),
            "actual": format(outcome.actual, "f"),
        }
        for outcome in outcomes
    ]


def _printable_names(hashes: dict[str, str]) -> dict[str, str | None]:
    return {printable_name(name): value for name, value in hashes.items()}
