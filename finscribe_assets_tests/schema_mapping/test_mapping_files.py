import pytest

from finscribe_assets.documents.elements import ValueType
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.schema_mapping.mapping import Labelled, Written
from finscribe_assets.schema_mapping.mapping_files import load_mapping, parse_mapping, shipped_mappings


def test_shipped_mappings_load():
    assert {"sroie", "cord", "fatura", "wildreceipt", "docile", "invoice2data"} <= set(shipped_mappings())
    for name in shipped_mappings():
        assert load_mapping(name).name == name
        assert load_mapping(name).source


def test_a_file_of_ones_own(tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text(
        "locale: de_DE\namounts: decimal\ndates: iso\nlabelled: present_keys\nkeys:\n"
        "  Rechnungsnummer: document_number\n"
        "  Datum: {path: issue_date, write: as_printed, format: dd.MM.yyyy}\n"
        "  Anschrift: [seller.name, seller.address]\n"
        "  Positionen[*].Preis: {path: lines.net_amount, write: number}\n"
        "  Buchungskreis: {type: identifier}\n"
        "  ['Summe (brutto)']: totals.total_with_vat\n".replace("  ['", "  \"['").replace("']:", "']\":"),
        encoding="utf-8",
    )
    mapping = load_mapping(str(file))
    by_key = {key.key: key for key in mapping.keys}
    assert mapping.name == "ours"
    assert mapping.labelled is Labelled.PRESENT_KEYS
    assert by_key["Datum"].write is Written.AS_PRINTED
    assert by_key["Positionen[*].Preis"].write is Written.NUMBER
    assert by_key["['Summe (brutto)']"].write is Written.DECIMAL
    assert by_key["Anschrift"].path is None
    assert by_key["Buchungskreis"].type is ValueType.IDENTIFIER


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["ours.yaml", "empty"]),
        ("keys:\n  a: issue_date\n  b: seler.nme", ["line 3", "'b'", "'seler.nme'", "seller.name"]),
        ("keys:\n  a: {}", ["line 2", "'a'", "path", "type"]),
        ("keys:\n  a: lines.item_name", ["line 2", "lines is a list", "[*]"]),
        ("keys:\n  a: lines", ["line 2", "lines is a list", "lines.line_id"]),
        ("keys:\n  a[*].b: seller.name", ["line 2", "no field of a list"]),
        ("keys:\n  a[*].b[*].c: {type: text}", ["line 2", "twice"]),
        ("keys:\n  a: issue_date\n  b: issue_date", ["line 3", "'b'", "issue_date", "'a'"]),
        ("keys:\n  a: issue_date\n  a: due_date", ["line 3", "twice"]),
        ("keys:\n  a.b: issue_date\n  a: due_date", ["line 2", "'a.b'", "'a' is a value"]),
        ("keys:\n  a[*].b: lines.item_name\n  c[*].d: lines.quantity", ["line 3", "two lists"]),
        ("keys:\n  a[*].b: lines.item_name\n  a[*].d: entries.amount", ["its list is", "must agree"]),
        ("keys:\n  a: {path: issue_date, write: decimal}", ["line 2", "write", "as_printed, iso"]),
        ("keys:\n  a: {path: issue_date, format: MMM d}", ["line 2", "dd/MM/yyyy"]),
        ("keys:\n  a: {path: document_number, format: dd/MM/yyyy}", ["format", "identifier"]),
        ("keys:\n  a: {path: issue_date, type: text}", ["issue_date", "date", "text"]),
        ("keys:\n  a: {type: amont}", ["line 2", "'amont'", "amount"]),
        ("keys:\n  a: {pth: issue_date}", ["line 2", "pth", "path"]),
        ("keys:\n  Invoice No.: document_number", ["line 2", "['Invoice No.']"]),
        ("locale: xx_YY\nkeys:\n  a: issue_date", ["line 1", "xx_YY", "de_AT"]),
        ("currency: EURO\nkeys:\n  a: issue_date", ["line 1", "EURO", "EUR"]),
        ("labeled: all\nkeys:\n  a: issue_date", ["line 1", "labeled", "labelled"]),
        ("keys: [a]", ["line 1", "your_key"]),
        ("keys: {a: 'b", ["not valid YAML"]),
    ],
)
def test_errors_name_file_line_key_and_mend(text, parts):
    with pytest.raises(UserError) as raised:
        parse_mapping(text, "ours", "ours.yaml")
    assert "ours.yaml" in str(raised.value)
    for part in parts:
        assert part in str(raised.value)


def test_an_unknown_mapping_lists_the_shipped_ones():
    with pytest.raises(MissingInputError, match="sroie"):
        load_mapping("srie")


def test_the_hash_follows_the_content():
    texts = ("keys: {a: issue_date}", "keys: {a: due_date}", "keys: {a: {path: issue_date, write: iso}}")
    hashes = {parse_mapping(text, "x", "x.yaml").content_hash for text in texts}
    assert len(hashes) == 3
    # What comments say changes no pair.
    assert parse_mapping("# a note\nkeys: {a: issue_date}", "x", "x.yaml").content_hash in hashes
