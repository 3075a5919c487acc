import pytest

from finscribe_assets.documents.batch_keys import EXAM_KEY, EXAMINATION_KEYS, PROBE_KEY
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES
from finscribe_assets.documents.vendors import is_examination_vendor, vendor, vendor_numbers
from finscribe_assets.errors import UserError
from finscribe_assets.splitting import manifest


def names_of(locale, key):
    return {vendor(locale, number).party.name for number in vendor_numbers(key)}


@pytest.mark.parametrize("locale", LOCALES)
def test_sellers_of_probe_and_exam_are_in_no_batch(locale):
    assert locale in LOCALE_FACTS
    probe, exam, batches = (names_of(locale, key) for key in (PROBE_KEY, EXAM_KEY, "batch-000"))
    assert len(probe) == len(vendor_numbers(PROBE_KEY))
    assert len(probe | exam | batches) == len(probe) + len(exam) + len(batches)


def test_a_document_has_the_sellers_that_its_key_allows():
    for key in (PROBE_KEY, EXAM_KEY, "batch-000", "batch-017"):
        plan = seed_plan(key, 60, 3)
        drawn = [draw_document(plan, index) for index in range(60)]
        assert {is_examination_vendor(document.vendor) for document in drawn} == {key in EXAMINATION_KEYS}
        of_batches = {name for locale in LOCALES for name in names_of(locale, "batch-000")}
        named = {item.document.seller.name for item in drawn if item.document.statement is None}
        assert named.isdisjoint(of_batches) is (key in EXAMINATION_KEYS)


def test_no_split_takes_a_document_of_the_probe():
    drawn = draw_document(seed_plan(PROBE_KEY, 1, 0), 0)
    with pytest.raises(
        UserError, match=r"probe-000-000000: the seller .* is reserved for documents that examine readers"
    ):
        manifest._unassigned_row(drawn, "{}", 1, targeted=False)
