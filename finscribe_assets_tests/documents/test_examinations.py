import re
from random import Random

import pytest

from finscribe_assets.documents.batch_keys import EXAM_KEY, EXAMINATION_KEYS, PROBE_KEY
from finscribe_assets.documents.coined_words import coin_word, is_reserved
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.vendors import is_examination_vendor, vendor, vendor_numbers
from finscribe_assets.errors import UserError
from finscribe_assets.splitting import manifest


def names_of(locale, key):
    return {vendor(locale, number).party.name for number in vendor_numbers(key)}


@pytest.mark.parametrize("locale", LOCALES)
def test_sellers_of_the_probe_and_the_exam_are_in_no_batch(locale):
    assert locale in LOCALE_FACTS
    names = [names_of(locale, key) for key in (PROBE_KEY, EXAM_KEY, "batch-000")]
    assert list(map(len, names)) == [50, 50, 150]
    assert len(set.union(*names)) == 250


def test_a_document_has_the_sellers_that_its_key_allows():
    for key in (*EXAMINATION_KEYS, "batch-000", "batch-017"):
        plan = seed_plan(key, 60, 3)
        drawn = [draw_document(plan, index) for index in range(60)]
        is_examination = key in EXAMINATION_KEYS
        assert {is_examination_vendor(document.vendor) for document in drawn} == {is_examination}
        of_batches = {name for locale in LOCALES for name in names_of(locale, "batch-000")}
        named = {item.document.seller.name for item in drawn if item.document.statement is None}
        assert named.isdisjoint(of_batches) is is_examination


@pytest.mark.parametrize("key", ["batch-000", PROBE_KEY, EXAM_KEY])
def test_a_third_of_the_names_of_items_are_reserved_for_examinations(key):
    recipe = Recipe(knobs=Knobs().model_copy(update={"wrapped_descriptions": 0.0, "till_corrections": 0.0}))
    plan = seed_plan(key, 150, 3, recipe)
    lines = [line for index in range(150) for line in draw_document(plan, index).document.lines]
    names = {line.item_name for line in lines if not re.search(r"\d\d/20\d\d", line.item_name)}  # without a month
    assert len(names) > 250
    assert {is_reserved(name) for name in names} == {key in EXAMINATION_KEYS}


def test_a_third_of_coined_words_are_reserved():
    words = [coin_word(Random(number), "de") for number in range(900)]
    assert sum(map(is_reserved, words)) / len(words) == pytest.approx(1 / 3, abs=0.05)
    assert all(is_reserved(coin_word(Random(number), "fr", reserved=True)) for number in range(50))


def test_no_split_takes_a_document_of_an_examination():
    for key in EXAMINATION_KEYS:
        drawn = draw_document(seed_plan(key, 1, 0), 0)
        with pytest.raises(
            UserError, match=rf"{key}-000000: the seller .* is reserved for documents that examine readers"
        ):
            manifest._unassigned_row(drawn, "{}", 1, targeted=False)
