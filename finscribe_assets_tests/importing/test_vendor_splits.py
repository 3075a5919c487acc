"""A vendor's documents are in one split, and stay there; nobody unknown is trained on."""

from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.importing.vendor_splits import documents_to_train_on, split_by_vendor, vendor_keys, vendors_of
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


@given(NAMES, st.dictionaries(st.text("abcdef", min_size=3, max_size=3), st.sampled_from(list(Split)[:3]), max_size=30))
def test_only_documents_that_a_review_gave_to_training_are_trained_on(vendors, reviewed):
    keys = {name: (f"name:{vendor}",) if vendor else () for name, vendor in vendors.items()}
    stated = {name: split for name, split in reviewed.items() if name in vendors}
    _, splits = documents_to_train_on(keys, stated)
    assert splits.keys() == vendors.keys()
    training = {name for name, split in splits.items() if split is Split.TRAIN}
    assert all(stated[name] is Split.TRAIN and vendors[name] for name in training)
    scored = {vendors[name] for name, split in splits.items() if split is Split.REAL}
    assert not scored & {vendors[name] for name in training}
