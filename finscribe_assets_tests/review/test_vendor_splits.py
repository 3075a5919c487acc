"""A vendor's documents are in one split, and stay there; nobody unknown is trained on."""

from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.review.vendor_splits import split_by_vendor, vendor_keys, vendors_of
from finscribe_assets.splitting.split_assignment import Split

NAMES = st.dictionaries(
    st.text("abcdef", min_size=3, max_size=3), st.sampled_from(["v1", "v2", "v3", "v4", "v5", ""]), max_size=30
)


@given(NAMES)
def test_a_vendor_is_never_divided(vendors):
    splits = split_by_vendor(vendors)
    assert splits.keys() == vendors.keys()
    by_vendor = {vendor: {splits[name] for name in vendors if vendors[name] == vendor} for vendor in vendors.values()}
    assert all(len(found) == 1 for found in by_vendor.values())
    known = set(vendors.values()) - {""}
    expected = {Split.TRAIN, Split.VALIDATION, Split.TEST} if len(known) > 2 else {Split.TEST}
    assert {split for name, split in splits.items() if vendors[name]} in (expected, set())
    assert all(split is Split.TEST for name, split in splits.items() if not vendors[name])


@given(NAMES, NAMES)
def test_later_documents_follow_their_vendor(first, later):
    splits = split_by_vendor(first)
    both = first | {name + "2": vendor for name, vendor in later.items()}
    again = split_by_vendor(both, splits)
    held_out = {name for name in first if splits[name] is not Split.TRAIN}
    assert all(again[name] is splits[name] for name in first)
    assert all(again[name] is not Split.TRAIN for name in held_out)


def test_a_name_and_an_identifier_join():
    keys = {
        "a": vendor_keys({"seller.name": "ACME  GmbH", "seller.vat_identifier": "DE 123"}),
        "b": vendor_keys({"seller.name": "acme gmbh"}),
        "c": vendor_keys({"seller.vat_identifier": "de123", "seller.name": "Acme"}),
        "d": vendor_keys({"seller.name": "Other"}),
        "e": vendor_keys({}),
    }
    vendors = vendors_of(keys)
    assert vendors["a"] == vendors["b"] == vendors["c"]
    assert len(set(vendors.values())) == 3
