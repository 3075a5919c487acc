from finscribe_assets.documents.drawn import from_table, to_table
from finscribe_assets.documents.elements import FIELDS, Element
from finscribe_assets.documents.generator import draw
from finscribe_assets.documents.labels import label_keys, wordings
from finscribe_assets.documents.recipe import LOCALES, Knobs, seed_plan
from finscribe_assets.documents.schema import Document, flatten
from finscribe_assets.rendering.system import FONT_PACKAGES


def leaves(schema: dict, root: dict, path: str = "") -> set[str]:
    """Walk the published JSON Schema, independently of the models."""
    if "$ref" in schema:
        return leaves(root["$defs"][schema["$ref"].split("/")[-1]], root, path)
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if options:
        return leaves(options[0], root, path)
    if schema.get("type") == "array":
        return leaves(schema["items"], root, path)
    if "properties" in schema:
        return {leaf for name, part in schema["properties"].items()
                for leaf in leaves(part, root, f"{path}.{name}" if path else name)}  # fmt: skip
    return {path}


def test_every_leaf_of_the_schema_has_an_element_and_a_kind():
    root = Document.model_json_schema()
    assert leaves(root, root) == set(FIELDS)


def test_every_term_carries_its_code_or_is_ours():
    coded = {name for name, field in Document.model_fields.items() if (field.json_schema_extra or {}).get("en16931")}
    assert set(Document.model_fields) - coded == {"locale"}


def test_every_locale_has_wordings_for_every_label_without_repeats():
    for locale in LOCALES:
        for key in label_keys():
            words = wordings(locale, key)
            assert words and len(set(words)) == len(words), (locale, key)


def test_knobs_say_which_elements_they_make_harder():
    for name, field in Knobs.model_fields.items():
        assert set(field.json_schema_extra["elements"]) <= set(Element), name
        assert field.description


def test_documents_survive_the_table():
    plan = seed_plan("batch-000", 30, 1)
    drawn = [draw(plan, index) for index in range(30)]
    assert from_table(to_table(drawn)) == drawn


def test_documents_survive_json():
    document = draw(seed_plan("batch-000", 1, 1), 0).document
    assert Document.model_validate(document.to_json()) == document
    assert all(isinstance(value, str) for value in flatten(document.to_json()).values())


def test_every_font_has_a_package():
    from finscribe_assets.documents.recipe import FONTS

    assert set(FONTS) == set(FONT_PACKAGES)


def test_the_data_dictionary_in_docs_is_the_models():
    from pathlib import Path

    from finscribe_assets.documents.dictionary import data_dictionary

    docs = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
    assert docs.read_text(encoding="utf-8") == data_dictionary(), (
        "run: finscribe schema --markdown > docs/data-dictionary.md"
    )
