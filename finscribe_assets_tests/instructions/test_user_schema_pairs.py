"""Pairs in a user's keys: what they ask and answer is judged by the documents and by reading the responses back."""

import json
from functools import cache

import pytest

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.schema import flatten
from finscribe_assets.evaluation.normalise import TRUTH_CONTEXT, ValueContext, canonical_value
from finscribe_assets.instructions.location_tokens import read_locations
from finscribe_assets.instructions.pair import Pair, SpanType, Task
from finscribe_assets.instructions.prompt_wordings import full_extraction_prompt
from finscribe_assets.instructions.response_keys import structure_of
from finscribe_assets.instructions.task_mix import PairRecipe, make_pairs
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.render import render
from finscribe_assets.schema_mapping.key_reading import read_document
from finscribe_assets.schema_mapping.mapping import SchemaMapping
from finscribe_assets.schema_mapping.mapping_files import load_mapping, parse_mapping

OWN = parse_mapping(
    """
dates: iso
amounts: decimal
absent: "null"
keys:
  Kopf.Nummer: document_number
  Kopf.Datum: issue_date
  Kopf.Faellig: {path: due_date, write: as_printed}
  Kopf.Waehrung: currency_code
  Lieferant: seller.name
  Lieferant_Anschrift: seller.address
  Kunde: [buyer.name, buyer.address]
  Buchungskreis: {type: identifier}
  Positionen[*].Text: lines.item_name
  Positionen[*].Menge: {path: lines.quantity, write: number}
  Positionen[*].Betrag: lines.net_amount
  Summe: totals.total_with_vat
""",
    "own",
    "own.yaml",
)
DOCUMENTS = 16
JSON_TASKS = (
    Task.FULL_EXTRACTION,
    Task.REGION_EXTRACTION,
    Task.LINE_ITEMS,
    Task.PAGE_EXTRACTION,
    Task.MULTI_PAGE_LINES,
)
MAPPINGS = {"sroie": load_mapping("sroie"), "own": OWN}


@cache
def documents() -> list[tuple[DrawnDocument, RenderedDocument]]:
    plan = seed_plan("batch-000", DOCUMENTS, 5)
    drawn = [draw_document(plan, index) for index in range(DOCUMENTS)]
    return [(document, render(document)) for document in drawn]


@cache
def paired(name: str) -> list[tuple[DrawnDocument, RenderedDocument, list[Pair]]]:
    recipe = PairRecipe(mix=dict.fromkeys(Task, 6), mapping=MAPPINGS[name])
    return [(drawn, rendered, make_pairs(drawn, rendered, recipe)) for drawn, rendered in documents()]


def pairs_of(name: str, *tasks: Task) -> list[tuple[DrawnDocument, Pair]]:
    return [(drawn, pair) for drawn, _, pairs in paired(name) for pair in pairs if pair.task in tasks]


def canonical(path: str, value: object, drawn: DrawnDocument) -> str:
    document = drawn.document.to_json()
    form = canonical_value(path, value, ValueContext.of(document).with_decimal_mark_of(drawn.printed))
    assert form is not None
    return form.text


@pytest.mark.parametrize("name", MAPPINGS)
def test_responses_are_the_users_json_with_the_documents_values(name):
    mapping = MAPPINGS[name]
    pairs = pairs_of(name, *JSON_TASKS)
    assert len({pair.task for _, pair in pairs}) >= 3
    for drawn, pair in pairs:
        truth = flatten(drawn.document.to_json())
        read = read_document(mapping, json.loads(pair.response))
        assert read.unmapped == ()
        for path, value in read.values.items():
            if value is None or "[" in path:
                continue
            if (key := mapping.key_at(path)) is not None:
                assert canonical(path, value, drawn) == canonical_value(path, truth[path], TRUTH_CONTEXT).text
                assert key.path == path
            else:  # an address, or a name with its address: every printed part is in it
                parts = [p for p in drawn.printed if field_of(p).startswith(tuple(read.keys[path].paths))]
                assert parts
                legible = [drawn.printed[p] for p in parts]
                assert [part for part in legible if part not in value] == []


def test_rows_of_a_table_are_the_users_rows():
    whole = [(drawn, pair) for drawn, pair in pairs_of("own", Task.FULL_EXTRACTION) if drawn.document.lines]
    assert whole
    for drawn, pair in whole:
        rows = json.loads(pair.response).get("Positionen", [])
        texts = [line.item_name for line in drawn.document.lines]
        assert [row["Text"] for row in rows if row["Text"] is not None] == [
            text for text in texts if text in [row["Text"] for row in rows]
        ]
        for row in rows:
            assert row["Menge"] is None or isinstance(row["Menge"], int | float)


def test_values_are_written_as_the_mapping_says():
    seen = {"Datum": 0, "Faellig": 0, "Summe": 0}
    for drawn, pair in pairs_of("own", Task.FULL_EXTRACTION):
        document = json.loads(pair.response)
        head = document["Kopf"]
        if head["Datum"] is not None:
            seen["Datum"] += 1
            assert head["Datum"] == drawn.document.issue_date.isoformat()
        if head["Faellig"] is not None:
            seen["Faellig"] += 1
            assert head["Faellig"] == drawn.printed["due_date"]
        if document["Summe"] is not None:
            seen["Summe"] += 1
            assert document["Summe"] == format(drawn.document.totals.total_with_vat, "f")
    assert all(seen.values())


def test_keys_without_a_field_are_neither_asked_nor_answered():
    for _, _, pairs in paired("own"):
        for pair in pairs:
            assert "Buchungskreis" not in pair.prompt + pair.prompt_held_out + pair.response


@pytest.mark.parametrize("name", MAPPINGS)
def test_prompts_show_the_users_json(name):
    structure = structure_of(MAPPINGS[name])
    for _, pair in pairs_of(name, *JSON_TASKS, Task.GROUNDED_EXTRACTION):
        assert structure in pair.prompt
        assert structure in pair.prompt_held_out
    assert structure in full_extraction_prompt(structure)
    assert full_extraction_prompt() == "Extract all the data of this document as JSON."


@pytest.mark.parametrize("name", MAPPINGS)
def test_single_questions_use_the_users_keys(name):
    mapping = MAPPINGS[name]
    plain = {key.key for key in mapping.keys if key.path and "[*]" not in key.key}
    pairs = pairs_of(name, Task.FIELD_QUESTION, Task.ABSENT_FIELD, Task.SCHEMA_EXTRACTION)
    assert {pair.task for _, pair in pairs} >= {Task.FIELD_QUESTION, Task.SCHEMA_EXTRACTION}
    for _, pair in pairs:
        keys = list(json.loads(pair.response))
        assert set(keys) <= plain
        for key in keys:
            assert json.dumps(key, ensure_ascii=False) in pair.prompt
    for _, pair in pairs_of(name, Task.BOX_TO_FIELD, Task.FIELD_TO_BOX):
        assert mapping.key_at(pair.target) is not None


def test_boxes_of_joined_values_are_those_of_their_parts():
    found = 0
    for drawn, pair in pairs_of("sroie", Task.GROUNDED_EXTRACTION):
        address = json.loads(pair.response).get("address")
        if address:
            text, boxes, complete = read_locations(address)
            parts = [path for path in drawn.printed if path.startswith("seller.address.")]
            assert complete
            assert boxes
            assert any(drawn.printed[path] in text for path in parts)
            found += len(boxes) > 1
    assert found


def test_amounts_keep_their_loss_weight():
    for _, pair in pairs_of("own", Task.FULL_EXTRACTION):
        total = json.loads(pair.response)["Summe"]
        if total is not None:
            types = {pair.response[span.start : span.end]: span.type for span in pair.spans}
            assert types[json.dumps(total)] is SpanType.FINANCIAL
        assert "".join(pair.response[span.start : span.end] for span in pair.spans) == pair.response


def test_recipes_without_a_mapping_keep_their_fingerprint():
    assert "mapping" not in PairRecipe().model_dump_json()
    recipe = PairRecipe(mapping=OWN)
    assert PairRecipe.model_validate_json(recipe.model_dump_json()) == recipe
    other = SchemaMapping(**{**OWN.model_dump(), "absent": "leave_out"})
    assert PairRecipe(mapping=other).model_dump_json() != recipe.model_dump_json()
