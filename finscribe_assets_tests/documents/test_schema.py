import re

import pytest

from finscribe_assets.documents.document_table import documents_from_table, documents_to_table
from finscribe_assets.documents.elements import FIELDS, TERMS, Element
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import KNOB_FACTS, Knobs
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.recipe_presets import RECIPE_PRESETS
from finscribe_assets.documents.schema import Document, flatten
from finscribe_assets.documents.wordings import label_keys, read_words, wordings, words_of
from finscribe_assets.rendering.system_packages import FONT_PACKAGES


def leaves(schema: dict, root: dict, path: str = "") -> set[str]:
    """Return the paths of the leaves of the published JSON Schema, without using the models."""
    if "$ref" in schema:
        return leaves(root["$defs"][schema["$ref"].split("/")[-1]], root, path)
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if options:
        return leaves(options[0], root, path)
    if schema.get("type") == "array":
        return leaves(schema["items"], root, path)
    if "properties" in schema:
        return {
            leaf
            for name, part in schema["properties"].items()
            for leaf in leaves(part, root, f"{path}.{name}" if path else name)
        }
    return {path}


def test_every_leaf_of_the_schema_has_an_element_and_a_value_type():
    root = Document.model_json_schema()
    assert leaves(root, root) == set(FIELDS)


def test_the_totals_and_lines_carry_the_codes_of_the_standard():
    codes = {term.code for term in TERMS.values()}
    assert {f"BT-{number}" for number in range(106, 116)} <= codes
    assert {"BT-1", "BT-2", "BT-5", "BT-9", "BT-20", "BT-84", "BT-126", "BT-129", "BT-131", "BT-146", "BT-151"} <= codes
    assert TERMS["seller.name"].code == "BT-27"
    assert TERMS["buyer.name"].code == "BT-44"
    assert all(re.fullmatch(r"(BT-\d+)?", code) for code in codes)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_words_of_a_locale_are_complete(locale):
    model, words = read_words("en"), words_of(locale)
    assert words.labels.keys() == model["labels"].keys()
    assert words.phrases.keys() == model["phrases"].keys()
    for key, phrases in words.phrases.items():
        placeholders = {name for text in phrases for name in re.findall(r"\{(\w+)\}", text)}
        assert placeholders == {name for text in model["phrases"][key] for name in re.findall(r"\{(\w+)\}", text)}, key


def test_harder_presets_have_higher_knobs():
    def sums(preset):
        return sum(RECIPE_PRESETS[preset].knobs.model_dump().values())

    assert sums("simple") < sums("medium") < sums("complex")


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"tax_regimes": {"india_gst": 1}, "locales": {"de_DE": 1}}, "india_gst applies in en_IN"),
        ({"tax_regimes": {"vat": 1}, "locales": {"de_DE": 1, "en_US": 1}}, "en_US is taxed under us_sales_tax"),
        ({"locales": {"xx_XX": 1}}, "unknown xx_XX"),
        ({"locales": {"de_DE": 1}, "fonts": {"Noto Naskh Arabic": 1}}, "has the letters of de_DE"),
        ({"knobs": {"blurr": 1}}, "blurr"),
        ({"knobs": {"blur": 1.5}}, "less than or equal to 1"),
        ({"document_types": {"invoice": 0}}, "every weight is zero"),
    ],
)
def test_errors_in_recipes_name_the_key_and_what_is_allowed(recipe, message):
    with pytest.raises(ValueError, match=message):
        Recipe.model_validate(recipe)


def test_every_locale_has_wordings_for_every_label_without_repeats():
    for locale in LOCALES:
        for key in label_keys():
            words = wordings(locale, key)
            assert words and len(set(words)) == len(words), (locale, key)


def test_every_knob_has_elements_a_cause_and_a_description():
    for name, field in Knobs.model_fields.items():
        assert KNOB_FACTS[name].elements and set(KNOB_FACTS[name].elements) <= set(Element), name
        assert KNOB_FACTS[name].cause, name
        assert field.description


def test_documents_are_the_same_after_a_round_trip_through_a_table():
    plan = seed_plan("batch-000", 30, 1)
    drawn = [draw_document(plan, index) for index in range(30)]
    assert documents_from_table(documents_to_table(drawn)) == drawn


def test_documents_are_the_same_after_a_round_trip_through_json():
    document = draw_document(seed_plan("batch-000", 1, 1), 0).document
    assert Document.model_validate(document.to_json()) == document
    assert all(isinstance(value, str) for value in flatten(document.to_json()).values())


def test_every_font_has_a_package():
    from finscribe_assets.documents.fonts import FONTS
    from finscribe_assets.rendering.font_faces import FALLBACK_FONT, SECOND_SCRIPT_FONT

    assert {*FONTS, FALLBACK_FONT, SECOND_SCRIPT_FONT} == set(FONT_PACKAGES)


def test_the_data_dictionary_in_docs_is_up_to_date():
    from pathlib import Path

    from finscribe_assets.documents.data_dictionary import data_dictionary

    docs = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
    assert docs.read_text(encoding="utf-8") == data_dictionary(), (
        "run: finscribe schema --markdown > docs/data-dictionary.md"
    )
