"""Bring ground truth and predictions in a user's keys to the fields under which they are compared.

With a schema mapping, only what the mapping covers is expected and judged. Documents in the schema, as `synthesize`
writes them and the embedded model reads them, are compared under the same fields: their other values are left out, and
those that the user's JSON has in one value are joined.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rapidfuzz import process

from finscribe_assets.documents.elements import IMPLIED_FIELDS, ValueType, field_of
from finscribe_assets.documents.labelled_fields import LabelledFields, is_labelled
from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.normalise import Note, ValueContext, canonical_value
from finscribe_assets.evaluation.prediction_files import InputProblems, Prediction, Truth
from finscribe_assets.evaluation.response_parsing import ParsedResponse, parse_response
from finscribe_assets.files import AnyPath
from finscribe_assets.schema_mapping.key_reading import (
    ReadDocument,
    count_known,
    count_named,
    country_of,
    joined_parts,
    nest,
    read_document,
    scored_path,
    scored_values,
)
from finscribe_assets.schema_mapping.mapping import Labelled, MappedKey, SchemaMapping, is_custom

MAX_EXAMINED = 200  # documents of a file from which it is found out whose keys it has
_CONTEXT_FIELDS = ("locale", "currency_code", "vat_accounting_currency_code", "document_type")


def known_labels(mapping: SchemaMapping) -> set[str]:
    """Return the names that a ground truth may list as labelled, besides the fields of the schema."""
    return {name for key in mapping.keys for name in (key.key, _without_lists(key.key))}


def are_in_user_keys(mapping: SchemaMapping, documents: Iterable[Any]) -> bool:
    """Tell whether documents have a user's keys, and not those of the schema: the mapping names more of their values.

    Args:
        mapping: the user's keys.
        documents: JSON documents, of which the first ``MAX_EXAMINED`` are looked at.
    """
    named = known = 0
    for document, _ in zip(documents, range(MAX_EXAMINED), strict=False):
        named += count_named(mapping, document)
        known += count_known(document)
    return named >= known


@dataclass(frozen=True)
class TruthsInFields:
    """Ground truth under the fields at which a user's JSON is compared.

    Attributes:
        truths: by document id.
        in_user_keys: whether the file had the user's keys, and not those of the schema.
    """

    truths: dict[str, Truth]
    in_user_keys: bool


def map_truths(
    truths: Mapping[str, Truth], mapping: SchemaMapping, file: AnyPath, problems: InputProblems
) -> TruthsInFields:
    """Bring ground truth to the fields under which it is compared.

    Args:
        truths: as read from the file.
        mapping: the user's keys.
        file: named in errors.
        problems: gets the values that could not be read as their type; they are compared as text.

    Raises:
        UserError: no key of the mapping is in the file.
    """
    in_user_keys = are_in_user_keys(mapping, (truth.document for truth in truths.values()))
    if in_user_keys:
        mapped = {name: _of_user_keys(truth, mapping, file, problems) for name, truth in truths.items()}
    else:
        mapped = {name: truth_in_fields(truth, mapping) for name, truth in truths.items()}
    if not any(flatten(truth.document).keys() - set(_CONTEXT_FIELDS) for truth in mapped.values()):
        raise UserError(_explain_no_key(next(iter(truths.values())), mapping, file))
    return TruthsInFields(mapped, in_user_keys)


def truth_in_fields(truth: Truth, mapping: SchemaMapping) -> Truth:
    """Return a ground truth in the schema, restricted to what a mapping covers."""
    values = flatten(truth.document)
    country = country_of(truth.locale)
    parts = joined_parts(mapping, values)
    printed = truth.printed
    if printed is not None:
        whole = {
            path
            for path, made_of in parts.items()
            if all(part in printed or field_of(part) in IMPLIED_FIELDS for part in made_of)
        }
        stated = {path for path in printed if mapping.key_at(path) is not None or is_custom(path)}
        printed = frozenset(stated | whole)
    labelled = mapping.labelled_fields
    if truth.labelled is not None:
        labelled = frozenset(
            field
            for field, key in mapping.scored_fields.items()
            if is_labelled(field, truth.labelled)
            or (key.paths and all(is_labelled(path, truth.labelled) for path in key.paths))
        )
    return replace(
        truth,
        document=_context(truth.document, mapping) | nest(scored_values(mapping, values, country)),
        printed=printed,
        boxes={path: boxes for path, boxes in truth.boxes.items() if mapping.key_at(path) is not None},
        labelled=labelled,
    )


def _of_user_keys(truth: Truth, mapping: SchemaMapping, file: AnyPath, problems: InputProblems) -> Truth:
    read = read_document(mapping, truth.document)
    values = {}
    for path, (text, note) in canonical_values(read, mapping).items():
        values[path] = text
        if note is not None and read.keys[path].type is not ValueType.TEXT:
            location = f"{file}: {_line_of(truth.id, file)}key {read.keys[path].key!r}: {str(read.values[path])[:60]!r}"
            problems.add(f"{note}_truth", location)
    labelled = read.fields if mapping.labelled is Labelled.PRESENT_KEYS else mapping.labelled_fields
    return replace(
        truth,
        document=_context(values, mapping) | nest(values),
        printed=None if truth.printed is None else frozenset(_to_scored(truth.printed, mapping)),
        boxes=dict(_to_scored_items(truth.boxes, mapping)),
        labelled=labelled if truth.labelled is None else _labelled(truth.labelled, mapping) & mapping.labelled_fields,
    )


def canonical_values(read: ReadDocument, mapping: SchemaMapping) -> dict[str, tuple[str, Note | None]]:
    """Return the values of a user's JSON in canonical form; one that is not of its key's type stays text, with a note.

    Args:
        read: the values as written.
        mapping: whose locale and currency say how ambiguous values are meant.
    """
    context = ValueContext(
        locale=mapping.locale, currency=str(read.values.get("currency_code") or mapping.currency or "") or None
    ).with_decimal_mark_of({path: value for path, value in read.values.items() if isinstance(value, str)})
    forms = {}
    for path, value in read.values.items():
        form = canonical_value(path, value, _context_of(read.keys[path], value, context))
        if form is not None:
            # Comparing folds identifiers and texts; as ground truth they stay as they are written.
            is_folded = read.keys[path].type in (ValueType.TEXT, ValueType.IDENTIFIER)
            forms[path] = (str(value) if is_folded else form.text, form.note)
    return forms


def _context_of(key: MappedKey, value: Any, context: ValueContext) -> ValueContext:
    if isinstance(value, int | float):
        return replace(context, decimal_mark=".")  # a number of JSON
    return replace(context, locale=key.locale, decimal_mark=None) if key.locale else context


def map_predictions(
    predictions: Mapping[str, Prediction], truths: Mapping[str, Truth], mapping: SchemaMapping
) -> tuple[dict[str, Prediction], bool]:
    """Bring predictions to the fields under which they are compared.

    Args:
        predictions: of one reader, all of them in the user's keys or all of them in the schema.
        truths: ground truth by document id, which says how the addresses of a document are ordered.
        mapping: the user's keys.

    Returns:
        The predictions, and whether they are in the user's keys.
    """
    responses = (parse_response(prediction.response).document for prediction in predictions.values())
    if are_in_user_keys(mapping, responses):
        return {name: _prediction_of_user_keys(one, mapping) for name, one in predictions.items()}, True
    return {
        name: _prediction_in_fields(one, mapping, country_of(truths[name].locale)) for name, one in predictions.items()
    }, False


def prediction_in_schema(prediction: Prediction, mapping: SchemaMapping) -> Prediction:
    """Return a prediction that may be in a user's keys with its values under the fields that they are mapped to.

    Args:
        prediction: of a model that was asked in these keys; one that answered in those of the schema stays as it is.
        mapping: the user's keys.
    """
    is_in_user_keys = are_in_user_keys(mapping, [parse_response(prediction.response).document])
    return _prediction_of_user_keys(prediction, mapping) if is_in_user_keys else prediction


def _prediction_of_user_keys(prediction: Prediction, mapping: SchemaMapping) -> Prediction:
    parsed = parse_response(prediction.response, mapping)
    own_locale = {field: key for field, key in mapping.scored_fields.items() if key.locale}
    if own_locale:
        values = flatten(parsed.document)
        for path, value in values.items():
            if (key := own_locale.get(field_of(path))) is not None:
                form = canonical_value(path, value, ValueContext(locale=key.locale))
                values[path] = form.text if form is not None and form.note is None else value
        parsed.document = nest(values)
    return replace(
        prediction,
        parsed=parsed,
        confidence=dict(_to_scored_items(prediction.confidence, mapping)),
        boxes=dict(_to_scored_items(prediction.boxes, mapping)),
    )


def _prediction_in_fields(prediction: Prediction, mapping: SchemaMapping, country: str | None) -> Prediction:
    parsed = parse_response(prediction.response)
    values = flatten(parsed.document)
    confidence = {path: value for path, value in prediction.confidence.items() if mapping.key_at(path) is not None}
    boxes = {path: box for path, box in prediction.boxes.items() if mapping.key_at(path) is not None}
    for path, parts in joined_parts(mapping, values).items():
        if all(part in prediction.confidence for part in parts):
            confidence[path] = min(prediction.confidence[part] for part in parts)
        if found := [box for part in parts for box in prediction.boxes.get(part, ())]:
            boxes[path] = tuple(found)
    document = nest(scored_values(mapping, values, country))
    return replace(
        prediction,
        parsed=ParsedResponse(document, parsed.statuses, parsed.dropped, parsed.boxes),
        confidence=confidence,
        boxes=boxes,
    )


def _context(document: Mapping[str, Any], mapping: SchemaMapping) -> dict[str, Any]:
    """Return what a document, or else the mapping, says of the formats of its values."""
    stated = {"locale": mapping.locale, "currency_code": mapping.currency} | {
        name: document[name] for name in _CONTEXT_FIELDS if document.get(name) is not None
    }
    return {name: value for name, value in stated.items() if value is not None}


def _labelled(names: LabelledFields, mapping: SchemaMapping) -> LabelledFields:
    """Return the fields of labelled names, each of which is a key, a group of keys, or a field of the schema."""
    fields = set()
    for name in names:
        plain = _without_lists(name)
        keys = [
            field
            for field, key in mapping.scored_fields.items()
            if is_labelled(_without_lists(key.key), frozenset({plain}))
        ]
        fields.update(keys or [field for field in mapping.labelled_fields if is_labelled(field, frozenset({name}))])
    return frozenset(fields)


def _to_scored(paths: Iterable[str], mapping: SchemaMapping) -> Iterable[str]:
    return (scored for path in paths if (scored := scored_path(mapping, path) or _known(path, mapping)) is not None)


def _to_scored_items(items: Mapping[str, Any], mapping: SchemaMapping) -> Iterable[tuple[str, Any]]:
    for path, value in items.items():
        if (scored := scored_path(mapping, path) or _known(path, mapping)) is not None:
            yield scored, value


def _known(path: str, mapping: SchemaMapping) -> str | None:
    return path if field_of(path) in mapping.labelled_fields else None


def _without_lists(name: str) -> str:
    return field_of(name.replace("[*]", ""))


def _line_of(name: str, file: AnyPath) -> str:
    """Return the line of a document in a file of JSON lines, for messages; empty if it is not found."""
    try:
        for number, line in enumerate(file.read_bytes().decode("utf-8-sig", errors="replace").split("\n"), 1):
            if line.strip() and json.loads(line).get("id") == name:
                return f"line {number}: "
    except (ValueError, OSError, AttributeError):
        return ""
    return ""


def _explain_no_key(truth: Truth, mapping: SchemaMapping, file: AnyPath) -> str:
    found = next(iter(flatten(truth.document)), "")
    names = [key.key for key in mapping.keys]
    nearest = [name for name, score, _ in process.extract(found, names, limit=2) if score > 50]
    hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
    return (
        f"{file}: {_line_of(truth.id, file)}no key of the mapping {mapping.name} is in the file: it has {found!r}, the "
        f"mapping has {', '.join(names[:6])}{hint}"
    )
