import re

import pytest
from lxml import etree

from finscribe_assets.evaluation.interval_drawings import ForestRow, forest_plot, interval_bar
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.report import evaluate
from finscribe_assets.evaluation.report_html import report_to_html
from finscribe_assets.evaluation.report_opening import open_report, robustness_grid, verdict_card

TRUTH = Truth("d", {"document_type": "invoice", "locale": "de_DE", "document_number": "A-1", "currency_code": "EUR"})
RIGHT = {"document_number": "A-1", "currency_code": "EUR"}


def evaluated(right: int, documents: int, others=None):
    truths = {str(number): TRUTH for number in range(documents)}
    read = {str(number): Prediction(str(number), RIGHT) for number in range(right)}
    return evaluate(truths, read, others=others)


@pytest.mark.parametrize(
    ("right", "documents", "badge"),
    [
        (40, 40, "✓ met"),
        (7, 7, "? not provable"),  # all right, and yet too few to prove 95 %
        (39, 40, "? not provable"),
        (20, 40, "✗ missed"),
    ],
)
def test_a_verdict_is_given_where_the_interval_proves_it(right, documents, badge):
    card = verdict_card(evaluated(right, documents).targets[0])
    assert (card.name, card.badge) == ("Field accuracy", badge)
    assert f"n = {2 * documents}" in card.note


def test_what_was_not_measured_has_no_verdict():
    cards = {card.name: card for card in map(verdict_card, evaluated(3, 3).targets)}
    assert cards["Tables (TEDS)"].badge == cards["Seconds per document"].badge == "– not measured"


def test_the_gain_is_that_over_the_first_reader():
    half = {str(number): Prediction(str(number), RIGHT) for number in range(20)}
    opening = open_report(evaluated(40, 40, {"before": half, "same": dict(half)}), None, ())
    assert opening.gain.startswith("+33.3 points of field F1 against before: better (20 documents better, 0 worse")
    drawing = etree.fromstring(opening.gains)
    texts = [text.text for text in drawing.iter("text")]
    assert {"against before", "against same", "no difference"} <= set(texts)
    assert any(re.fullmatch(r"\+33\.3 \[\+\d+\.\d, \+\d+\.\d\]", text) for text in texts)


def test_the_grid_has_the_strongest_factors_and_says_how_many_are_left_out():
    rows = [
        {"factor": f"knob_{number}", "element": "date", "base": number / 10, "adapter": 0.02, "status": "repaired"}
        for number in range(9)
    ]
    grid = robustness_grid([*rows, {**rows[8], "element": "amount", "adapter": 0.5, "status": "left"}])
    assert (grid.elements, grid.left_out, grid.compared) == (("amount", "date"), 2, True)
    name, status, cells = grid.rows[0]
    assert (name, status, [cell.text for cell in cells]) == ("knob_8", "repaired, left", ["+80 → +50", "+80 → +2"])
    of_one_reader = {"factor": "f", "element": "date", "effect": 0.3, "low": 0.1, "high": 0.4, "verdict": "harmful"}
    alone = robustness_grid([of_one_reader])
    assert [cell.text for cell in alone.rows[0][2]] == ["+30"]
    assert not alone.compared


def test_drawings_place_values_in_order_and_carry_their_numbers():
    drawing = etree.fromstring(interval_bar(0.9, 0.8, 0.97, 0.95))
    line, target = drawing.findall("line")[1:3]
    circle = drawing.find("circle")
    positions = [float(line.get("x1")), float(circle.get("cx")), float(target.get("x1")), float(line.get("x2"))]
    assert positions == sorted(positions)
    assert drawing.get("aria-label") == "90.0%, 95 % interval 80.0% to 97.0%, target 95%"
    plot = etree.fromstring(forest_plot([ForestRow("<a & b>", 0.5, 0.4, 0.6), ForestRow("one", 0.7)], 0.55, "all"))
    assert plot.get("aria-label") == "<a & b> 50.0% [40.0%, 60.0%]; one 70.0%"
    first, second = (float(circle.get("cx")) for circle in plot.iter("circle"))
    assert first < second


def test_the_first_screen_precedes_the_contents_and_the_rest():
    text = report_to_html(evaluated(20, 40, {"before": {}}))
    order = [
        "not provable",
        "Gain over other readers",
        "Worst causes of failures",
        "<nav",
        'id="metrics"',
        'id="slices"',
    ]
    positions = [text.index(part) for part in order[1:]]
    assert positions == sorted(positions)
    # Words of tables are not cut: only long values may break, at the width of their column.
    assert "anywhere" not in text.split("</style>")[0].replace(
        "pre { white-space: pre-wrap; overflow-wrap: anywhere", ""
    )
