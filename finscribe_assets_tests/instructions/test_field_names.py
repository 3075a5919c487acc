"""Questions are plain English, or in the document's language; every field has several names."""

import re
from itertools import product

import pytest

from finscribe_assets.documents.elements import IMPLIED_FIELDS, LIST_FIELDS, TERMS
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.wordings import labels_of
from finscribe_assets.instructions.field_names import FieldQuestion, english_names, label_names, questions
from finscribe_assets.instructions.prompt_wordings import choose_question

BROKEN = re.compile(
    r"\bthe (?:the|what|who|which|why|how|an?)\b|\bof (?:that|this|those)\b|\ban? (?:the|an?)\b|\b(\w+) \1\b|s's\b",
    re.IGNORECASE,
)
SINGLE_FIELDS = [path for path in TERMS if path.partition(".")[0] not in LIST_FIELDS]


@pytest.mark.parametrize("document_type", DocumentType)
def test_each_field_of_the_schema_has_english_names_for_training_and_others_that_are_held_out(document_type):
    for path in TERMS:
        names = english_names(path, document_type)
        assert len(set(names.training)) >= 2, path
        assert names.held_out, path
        assert not set(names.training) & set(names.held_out), path
        assert not [name for name in (*names.training, *names.held_out) if BROKEN.search(name)], path


def test_fields_of_a_document_type_have_different_names():
    """A name means one field: no two fields of the same document are called the same."""
    for document_type in DocumentType:
        names = [name for path in SINGLE_FIELDS for name in sum(vars(english_names(path, document_type)).values(), ())]
        assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_no_question_is_broken():
    prompts = 0
    for number, (path, locale, document_type) in enumerate(product(SINGLE_FIELDS, LOCALE_FACTS, DocumentType)):
        about = FieldQuestion(path, document_type, locale)
        for task, others in (("field_question", {"key": f'"{path}"'}), ("field_to_box", {})):
            for prompt in choose_question(task, str(number), about, **others):
                assert not BROKEN.search(prompt), prompt
                assert task == "field_to_box" or f'"{path}"' in prompt
                prompts += 1
    assert prompts > 20_000


@pytest.mark.parametrize("locale", LOCALE_FACTS)
def test_labels_of_the_locale_name_most_fields_and_each_means_one_field(locale):
    asked = questions(locale)
    assert all("{label}" in text and "{key}" in text for text in (*asked.training, *asked.held_out))
    assert not set(asked.training) & set(asked.held_out)
    named = {path: names for path in SINGLE_FIELDS if (names := label_names(path, DocumentType.INVOICE, locale))}
    outside_parties = [path for path in SINGLE_FIELDS if not path.startswith(("seller", "buyer", "payee", "ship_to"))]
    assert len(named) > 0.6 * len(set(outside_parties) - IMPLIED_FIELDS)
    meanings: dict[str, set[str]] = {}
    for path, names in named.items():
        assert not set(names.training) & set(names.held_out)
        for label in (*names.training, *names.held_out):
            assert any(label in words for words in labels_of(locale).values())
            meanings.setdefault(label.casefold(), set()).add(path)
    assert all(len(paths) == 1 for paths in meanings.values())
