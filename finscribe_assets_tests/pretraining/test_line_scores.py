import numpy as np
import pytest

from finscribe_assets.instructions.otsl import to_otsl
from finscribe_assets.pretraining.line_cutting import CutTable
from finscribe_assets.pretraining.line_scores import ReadLine, accuracy_by_element, line_accuracy, marked_line_f1
from finscribe_assets.pretraining.table_scores import ReadTable, score_tables

HEAD = ["Item", "Price"]


def _read(document: int, right: int, wrong: int) -> list[ReadLine]:
    return [ReadLine(document, "date", "a", "a")] * right + [ReadLine(document, "date", "a", "b")] * wrong


def test_shares_are_over_lines_and_intervals_over_documents():
    share = line_accuracy(_read(0, 9, 1) + _read(1, 0, 10))
    assert (share.lines, share.documents, share.exact_match) == (20, 2, 0.45)
    assert (share.low, share.high) == (0.0, 0.9), "a document is drawn twice or not at all"
    many = line_accuracy([line for document in range(400) for line in _read(document, 3, 1)])
    assert many.low == many.high == 0.75, "documents that are all alike leave no doubt"
    assert accuracy_by_element(_read(0, 3, 1))["date"]["exact_match"] == 0.75


def test_scoring_nothing_is_an_error():
    with pytest.raises(ValueError, match="no lines to score"):
        line_accuracy([])


def test_a_wrong_line_is_missing_and_made_up_and_an_unread_one_is_missing():
    assert marked_line_f1(_read(0, 3, 1)) == 0.75
    unread = [ReadLine(0, "header", "Total 3.00", "")]
    assert marked_line_f1(_read(0, 3, 0) + unread) == round(6 / 7, 4)


def _table(document: int, *rows: list[str], read: list[str] | None = None, sound: bool = True) -> ReadTable:
    grid = [HEAD, *map(list, rows)]
    strips = tuple(to_otsl([row]) for row in grid)
    blank = np.full((28, 28), 255, dtype=np.uint8)
    return ReadTable(document, CutTable(grid, (blank,) * len(grid), strips, sound), tuple(read or strips))


def test_tables_are_scored_as_assembled():
    right = _table(0, ["Nails", "1.20"])
    wrong = _table(1, ["Hammer", "9.00"], read=[to_otsl([HEAD]), to_otsl([["Hammer", "8.00"]])], sound=False)
    scores = score_tables([right, wrong])
    assert scores["lines_found"] == {"tables": 2, "sound": 0.5}
    assert (scores["cells"], scores["cell_accuracy"], scores["exact_tables"]) == (8, 0.875, 0.5)
    # One character of four in one of a table's six nodes, two rows and four cells.
    assert scores["teds"] == pytest.approx(1 - 0.25 / 6 / 2, abs=1e-3)
    assert scores["teds_structure"] == scores["perfect_rows"] == 1.0


def test_the_floor_is_another_documents_table_of_the_same_size():
    tables = [
        _table(0, ["Nails", "1.20"]),
        _table(0, ["Nails", "1.20"]),
        _table(1, ["xxxxx", "2222"]),
        _table(1, ["Glue", "1.00"], ["Tape", "2.00"]),
    ]
    scores = score_tables(tables)
    assert scores["floor"] < 0.85 < scores["floor_structure"]
    assert scores["teds"] == 1.0


def test_long_tables_count_where_lines_are_found_alone():
    rows = [["Nails", "1.20"]] * 9
    scores = score_tables([_table(0, *rows), _table(1, ["Nails", "1.20"])])
    assert (scores["lines_found"]["tables"], scores["tables"]) == (2, 1)
    assert score_tables([_table(0, *rows)])["tables"] == 0


def test_whatever_was_read_scores_between_nothing_and_all():
    for read in (["", ""], ["<nl>", "rubbish"], ["<fcel>" * 50] * 2, ["<lcel><lcel><nl>", "<xcel>a"]):
        scores = score_tables([_table(0, ["Nails", "1.20"], read=read)])
        assert 0 <= scores["teds"] < 1
        assert scores["exact_tables"] == 0
