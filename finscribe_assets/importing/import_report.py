"""What an import did, document by document: `import-report.json` and the figures of its summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from finscribe_assets.documents.elements import field_of
from finscribe_assets.importing.labelled_documents import RealDocument
from finscribe_assets.importing.rejects import Problem
from finscribe_assets.importing.source_files import Source, printable
from finscribe_assets.importing.truth_files import broken_rules, counted

UNCHECKED = (
    "everything that is true of it counts as printed: its pages have no text layer that can be relied on, so "
    "whether they show a value is not known"
)


@dataclass
class ImportReport:
    """What became of every document that was found."""

    licence: str
    dpi: int
    ignored: tuple[str, ...]
    accepted: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    pages: int = 0
    pairs: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    unmapped_terms: Counter[tuple[str, str]] = field(default_factory=Counter)  # path and term → documents
    broken_rules: Counter[str] = field(default_factory=Counter)  # rule → documents
    unprinted_fields: Counter[str] = field(default_factory=Counter)  # field → values

    @property
    def document_count(self) -> int:
        """Return how many documents were found."""
        return len(self.accepted) + len(self.rejected)

    @property
    def unchecked_count(self) -> int:
        """Return of how many taken documents it is not known what their pages print."""
        return sum(not record["printed_checked"] for record in self.accepted)

    def accept(self, document: RealDocument, pairs: int) -> None:
        """Note a document that is taken."""
        truth = document.truth
        broken, unmapped = broken_rules(truth.document), counted(truth.unmapped)
        self.pages += len(document.content.pages)
        self.pairs += pairs
        self.unmapped_terms.update(unmapped.keys())
        self.broken_rules.update({one.code for one in broken or ()})
        self.unprinted_fields.update(map(field_of, document.unprinted))
        record: dict[str, Any] = {
            "id": document.id,
            "name": printable(document.source.name),
            "files": _hashes(document.hashes),
            "truth": printable(document.truth_from),
            "syntax": truth.syntax,
            "locale": truth.document.locale,
            "document_type": str(truth.document.document_type),
            "pages": len(document.content.pages),
            "values_printed": len(document.printed),
            "printed_checked": document.checked,
            "not_printed": list(document.unprinted),
            "not_mapped": [
                {"path": path, "term": term, "values": count} for (path, term), count in sorted(unmapped.items())
            ],
            "rules_broken": [
                {
                    "rule": one.code,
                    "field": one.path,
                    "expected": format(one.expected, "f"),
                    "actual": format(one.actual, "f"),
                }
                for one in broken or ()
            ],
            "notes": [],
        }
        if not document.checked:
            record["notes"].append(UNCHECKED)
        if broken is None:
            record["notes"].append(
                f"the rules are not checked: the smallest amount of {truth.document.currency_code} is not known"
            )
        self.accepted.append(record)

    def reject(self, source: Source, problems: tuple[Problem, ...], hashes: dict[str, str]) -> None:
        """Note a document that is not taken, with every reason."""
        self.reasons.update({one.field or one.reason for one in problems})
        self.rejected.append(
            {
                "name": printable(source.name),
                "files": _hashes(hashes) | {printable(name): None for name in source.files if name not in hashes},
                "problems": [{"field": one.field, "reason": one.reason} for one in problems],
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Return the whole report; the same files always give the same."""
        return {
            "source": "real",
            "use": "evaluation only: these documents never enter training",
            "licence": self.licence,
            "dpi": self.dpi,
            "counts": {
                "found": self.document_count,
                "accepted": len(self.accepted),
                "rejected": len(self.rejected),
                "pages": self.pages,
                "pairs": self.pairs,
                "files_ignored": len(self.ignored),
                "printed_not_checked": self.unchecked_count,
            },
            "accepted": self.accepted,
            "rejected": self.rejected,
            "not_mapped": [
                {"path": path, "term": term, "documents": count}
                for (path, term), count in sorted(self.unmapped_terms.items())
            ],
            "rules_broken": dict(sorted(self.broken_rules.items())),
            "files_ignored": [printable(name) for name in self.ignored],
        }


def _hashes(hashes: dict[str, str]) -> dict[str, str | None]:
    return {printable(name): value for name, value in hashes.items()}
