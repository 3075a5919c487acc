"""Name the fields of an evaluation report by a user's keys: to its user, `custom.date.date.check_in` is `check_in`.

What belongs here: names alone. What is compared, and how it is counted, is the same under every name.
"""

from __future__ import annotations

import re

from finscribe_assets.documents.elements import field_of
from finscribe_assets.evaluation.report import EvaluationReport
from finscribe_assets.schema_mapping.mapping import SchemaMapping

_POSITION = re.compile(r"\[(\d+)\]")


def user_name(path: str, mapping: SchemaMapping) -> str:
    """Return the user's key of a value or a field; the path itself if the mapping has no key for it.

    Args:
        path: under which the value is compared, such as ``lines[2].item_name``, or a field (``lines.item_name``).
        mapping: the user's keys.

    Returns:
        The key with the value's position, such as ``Positionen[2].Text``, or for a field ``Positionen[*].Text``.
    """
    key = mapping.scored_fields.get(field_of(path))
    if key is None:
        return path
    positions = iter(_POSITION.findall(path))
    return re.sub(r"\[\*\]", lambda _: f"[{next(positions, '*')}]", key.key)


def report_in_user_keys(report: EvaluationReport, mapping: SchemaMapping) -> EvaluationReport:
    """Return a report whose fields have the names of a user's keys."""

    def named(path: str) -> str:
        return user_name(path, mapping)

    return report.model_copy(
        update={
            "by_field": [tally.model_copy(update={"name": named(tally.name)}) for tally in report.by_field],
            "by_rule": [rule.model_copy(update={"determines": named(rule.determines)}) for rule in report.by_rule],
            "low_confidence": [field.model_copy(update={"path": named(field.path)}) for field in report.low_confidence],
            "failures": [
                failure.model_copy(
                    update={
                        "examples": tuple(
                            example.model_copy(update={"path": named(example.path)}) for example in failure.examples
                        )
                    }
                )
                for failure in report.failures
            ],
            "worst": [
                document.model_copy(
                    update={
                        "fields": tuple(
                            field.model_copy(update={"path": named(field.path)}) for field in document.fields
                        )
                    }
                )
                for document in report.worst
            ],
        }
    )
