from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.instructions.otsl import from_otsl, to_otsl
from finscribe_assets.model.table_assembly import assemble_table

ITEM = st.text("abcdefgh ", min_size=1, max_size=12).map(str.strip).filter(bool)
AMOUNT = st.decimals(0, 999, places=2).map(str)


def strips_of(*rows: list[str | None]) -> list[str]:
    return [to_otsl([row]) for row in rows]


@given(st.lists(st.tuples(st.lists(ITEM, min_size=1, max_size=3), AMOUNT, AMOUNT), min_size=1, max_size=6))
def test_wrapped_descriptions_come_together_again(rows):
    head = ["Description", "Price", "Amount"]
    strips = strips_of(head)
    for description, price, amount in rows:
        strips += strips_of([description[0], price, amount], *([more, "", ""] for more in description[1:]))
    wanted = [head, *([" ".join(description), price, amount] for description, price, amount in rows)]
    assert from_otsl(assemble_table(strips)) == wanted


def test_the_lines_of_a_head_come_together_in_every_cell():
    strips = strips_of(["", "Unit", "Net"], ["Item", "price", "amount"], ["Nails", "1.20", "2.40"])
    assert from_otsl(assemble_table(strips)) == [["Item", "Unit price", "Net amount"], ["Nails", "1.20", "2.40"]]


def test_names_above_their_figures_stay_rows_of_their_own_and_go_on_with_each_other():
    name, more = ["Cappuccino with", None, None], ["oat milk", None, None]
    figures = ["", "2", "7.80"]
    head = [["Item", None, None], ["", "Qty", "Amount"]]
    strips = strips_of(*head, name, more, figures, ["Tea", None, None], figures)
    assert from_otsl(assemble_table(strips)) == [
        *head,
        ["Cappuccino with oat milk", None, None],
        figures,
        ["Tea", None, None],
        figures,
    ]


def test_a_row_with_one_figure_below_a_blank_cell_is_a_row():
    strips = strips_of(["Nails", "1.20", ""], ["Carried forward", "", "8.00"], ["", "", "9.00"], ["", "3.00", ""])
    assert len(from_otsl(assemble_table(strips))) == 3, "the last one has no cell to go on with"


@given(st.lists(st.text("<>fcelnx/ab1 ", max_size=30) | st.just("<fcel>a<ecel><nl>") | st.just("<fcel>1<nl><nl>")))
def test_whatever_a_model_writes_gives_a_table_with_rows_of_one_width(strips):
    rows = from_otsl(assemble_table(strips))
    assert len({len(row) for row in rows}) <= 1
    assert len(rows) <= len(strips)
