from collections import Counter

import pytest

from finscribe_assets.documents.batch_keys import EXAM_KEY, EXAMINATION_KEYS, PROBE_KEY
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES
from finscribe_assets.documents.vendors import is_examination_vendor, vendor, vendor_numbers
from finscribe_assets.documents.wordings import TRADES, items_of
from finscribe_assets.errors import UserError
from finscribe_assets.splitting import manifest

ITEMS = [item for locale in LOCALES for trade in TRADES for item in items_of(locale, trade)]
OF_BATCHES = frozenset(name for item in ITEMS for name in item.names[len(item.reserved_names) :])


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


def test_names_of_items_are_reserved_for_examinations_where_an_item_has_three_or_more():
    reserved = {name for item in ITEMS for name in item.reserved_names}
    # Items of other locales have some of these names too, for which they are not reserved.
    assert len(reserved) > 800
    assert len(reserved & OF_BATCHES) <= 8
    assert len(OF_BATCHES) > 3.5 * len(reserved)
    counts = Counter(bool(item.reserved_names) for item in ITEMS)
    assert {len(item.names) >= 3 for item in ITEMS if item.reserved_names} == {True}
    assert counts[True] / len(ITEMS) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("key", "least", "most"), [("batch-000", 1.0, 1.0), (PROBE_KEY, 0.0, 0.08), (EXAM_KEY, 0.0, 0.08)]
)
def test_examinations_have_names_of_items_that_no_batch_has(key, least, most):
    # Of 7700 lines of 600 examination documents 3 % have a name that a batch may have: of items with one or two names.
    plan = seed_plan(key, 150, 3)
    names = [line.item_name for index in range(150) for line in draw_document(plan, index).document.lines]
    # A wrapped description goes on after the name.
    shared = [any(name.startswith(one) for one in OF_BATCHES) for name in names]
    assert len(names) > 300
    assert least <= sum(shared) / len(shared) <= most


def test_no_split_takes_a_document_of_an_examination():
    for key in EXAMINATION_KEYS:
        drawn = draw_document(seed_plan(key, 1, 0), 0)
        with pytest.raises(
            UserError, match=rf"{key}-000000: the seller .* is reserved for documents that examine readers"
        ):
            manifest._unassigned_row(drawn, "{}", 1, targeted=False)
