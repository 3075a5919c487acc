import pytest
from apted import APTED, Config
from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.evaluation.tables import teds, to_html


class _Plain(Config):
    """PubTabNet's costs, written again over tuples, with its own Levenshtein distance."""

    def rename(self, node1, node2):
        if node1[:3] != node2[:3]:
            return 1.0
        if node1[0] == "td" and (node1[3] or node2[3]):
            return _distance(node1[3], node2[3]) / max(len(node1[3]), len(node2[3]))
        return 0.0

    def children(self, node):
        return node[4]


def _distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def _tree(rows):
    return ("table", 1, 1, "", [("tr", 1, 1, "", [("td", 1, 1, cell, []) for cell in row]) for row in rows])


def _size(tree):
    return 1 + sum(map(_size, tree[4]))


cells = st.text("abc 1,.", max_size=5).map(str.strip)
tables = st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=5)


@given(tables, tables)
@settings(max_examples=150)
def test_teds_is_what_apted_says(one, other):
    a, b = _tree(one), _tree(other)
    expected = 1 - APTED(a, b, _Plain()).compute_edit_distance() / max(_size(a), _size(b))
    assert teds(to_html(one), to_html(other)) == pytest.approx(max(0.0, expected), abs=1e-9)


@given(tables, tables, tables, tables)
@settings(max_examples=150)
def test_what_two_tables_share_at_their_ends_changes_nothing(top, one, other, bottom):
    a, b = _tree(top + one + bottom), _tree(top + other + bottom)
    expected = 1 - APTED(a, b, _Plain()).compute_edit_distance() / max(_size(a), _size(b))
    said = teds(to_html(top + one + bottom), to_html(top + other + bottom))
    assert said == pytest.approx(max(0.0, expected), abs=1e-9)


def test_a_long_table_read_right_but_for_a_cell_is_measured():
    rows = [[f"{row}", "x", "y", "z", "1", "2", "3", "4", "5", "6", "7", "8"] for row in range(120)]
    wrong = [*rows[:60], ["60", "x", "y", "z", "1", "2", "3", "4", "5", "6", "7", "?"], *rows[61:]]
    assert teds(to_html(rows), to_html(rows)) == 1.0
    assert teds(to_html(wrong), to_html(rows)) == pytest.approx(1 - 1 / (1 + 120 * 13))


@given(tables)
def test_a_table_is_itself(rows):
    assert teds(to_html(rows), to_html(rows)) == 1.0


def test_known_values():
    true = to_html([["a", "b"], ["c", "d"]])
    assert teds(to_html([["a", "b"], ["c", "x"]]), true) == pytest.approx(1 - 1 / 7)
    assert teds(to_html([["a", "b"]]), true) == pytest.approx(1 - 3 / 7)
    assert teds(to_html([["q", "q"], ["q", "q"]]), true, structure_only=True) == 1.0
    assert teds("<table><tr><td colspan=2>a</td></tr></table>", "<table><tr><td>a</td></tr></table>") == pytest.approx(
        1 - 1 / 3
    )


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                "<table>",
                "</table>",
                "<tr>",
                "<td colspan=-1>",
                "<td rowspan=x>",
                "&lt",
                "<!--",
                "x",
                "\0",
                "</td",
                "<table",
            ]
        )
    ).map("".join)
)
@settings(max_examples=200)
def test_garbage_has_a_score(text):
    assert 0.0 <= teds(text, "<table><tr><td>a</td></tr></table>") <= 1.0
    assert 0.0 <= teds("<table><tr><td>a</td></tr></table>", text) <= 1.0


def test_what_is_beyond_measure_scores_zero():
    endless = to_html([["1", "2", "3"]] * 2000)
    assert teds(endless, to_html([["1", "2", "3"]])) == 0.0
    assert teds("<table>" * 100_000, to_html([["1"]])) == 0.0
