from finscribe_assets.documents.elements import element_of
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.vendors import is_examination_vendor
from finscribe_assets.probing.battery import (
    CANDIDATES,
    FIRST_PAIR_NUMBER,
    MAX_FIELDS_PER_ELEMENT,
    Battery,
    estimated_pages,
    sample_fields,
)
from finscribe_assets.probing.factors import ACTING_FIELDS, Factor


def test_a_document_is_a_function_of_seed_setting_and_number(space, battery):
    plain = space.plain(DocumentType.INVOICE)
    assert battery.draw(plain, 5) == Battery(space, 7).draw(plain, 5)
    assert battery.draw(plain, 5) != Battery(space, 8).draw(plain, 5)
    assert battery.draw(plain, 5) != battery.draw(plain, 6)


def test_documents_have_sellers_that_no_batch_has(space, battery):
    drawn = [battery.draw(space.plain(kind), number) for kind in space.types for number in range(20)]
    assert all(is_examination_vendor(one.vendor) for one in drawn)
    assert {one.batch for one in drawn} == {"probe-000"}


def test_documents_of_pairs_are_never_those_of_the_screening(space, battery):
    plain = space.plain(DocumentType.INVOICE)
    screening = {battery.screening_number(plain, index) for index in range(30)}
    pairs = {battery.pair_number(plain, index) for index in range(30)}
    assert len(screening) == len(pairs) == 30
    assert max(screening) < FIRST_PAIR_NUMBER <= min(pairs)


def test_the_richest_of_some_documents_is_taken_and_no_long_one_where_there_is_a_shorter(space, battery):
    plain = space.plain(DocumentType.INVOICE)
    long = space.changed(plain, Factor("several_pages"))
    for index in range(8):
        numbers = range(index * CANDIDATES, (index + 1) * CANDIDATES)
        chosen = battery.screening_number(plain, index)
        assert chosen in numbers
        kinds = {number: len({element_of(path) for path in battery.draw(plain, number).printed}) for number in numbers}
        assert kinds[chosen] >= sorted(kinds.values())[CANDIDATES // 2]
        pages = [estimated_pages(battery.draw(long, number)) for number in numbers]
        assert estimated_pages(battery.draw(long, battery.screening_number(long, index))) == min(pages)


def test_a_number_does_not_depend_on_the_setting(space, battery):
    plain = space.plain(DocumentType.INVOICE)
    other = space.changed(plain, Factor("font:Lato"))
    assert battery.screening_number(plain, 3) == battery.screening_number(other, 3)


def test_fields_are_sampled_evenly_over_elements_and_the_same_in_both_documents_of_a_pair(space, battery):
    plain = space.plain(DocumentType.INVOICE)
    drawn, changed = battery.draw(plain, 2), battery.draw(space.changed(plain, Factor("font:Lato")), 2)
    sampled = sample_fields(drawn, 20)
    assert len(sampled) == 20
    assert sampled == sample_fields(changed, 20)
    counts = [sum(element_of(path) == one for path in sampled) for one in {element_of(path) for path in sampled}]
    every = {element_of(path) for path in drawn.printed}
    assert len(counts) == len(every)
    assert min(counts) >= 1


def test_without_a_limit_every_field_is_read_up_to_some_of_each_element(space, battery):
    drawn = battery.draw(space.changed(space.plain(DocumentType.INVOICE), Factor("several_pages")), 1)
    sampled = sample_fields(drawn, None)
    counts = {one: sum(element_of(path) == one for path in sampled) for one in {element_of(path) for path in sampled}}
    assert max(counts.values()) == MAX_FIELDS_PER_ELEMENT
    assert set(sampled) <= set(drawn.printed)


def test_a_field_on_which_a_knob_acts_alone_is_always_read(space, battery):
    plain = space.changed(space.plain(DocumentType.INVOICE), Factor("confusable_identifiers"))
    for number in range(10):
        assert ACTING_FIELDS["confusable_identifiers"] & set(sample_fields(battery.draw(plain, number), 12))
