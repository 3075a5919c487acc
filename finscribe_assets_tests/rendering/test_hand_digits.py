"""Digits written by hand: there are curves for all that approvals say, and no two of a digit are alike."""

import numpy as np
import pytest

from finscribe_assets.documents.channels import Channel, channels_of_all_types
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import LOCALES, Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.rendering.damage.hand_digits import WRITABLE, hand_lines
from finscribe_assets.rendering.render import render

KNOBS = NO_KNOBS.model_copy(update={"approvals": 1.0, "rare_grouping": 0.5, "native_digits": 0.5, "sign_styles": 0.5})


def test_there_are_curves_for_every_approval_of_every_locale():
    recipe = Recipe(
        document_types={DocumentType.INVOICE: 1.0, DocumentType.CREDIT_NOTE: 1.0},
        locales=dict.fromkeys(LOCALES, 1.0),
        channels=channels_of_all_types(Channel.SCANNED),
        knobs=KNOBS.model_copy(update={"negative_amounts": 0.5}),
    )
    plan = seed_plan("batch-000", 120, 4, recipe)
    for index in range(120):
        drawn = draw_document(plan, index)
        amount, day = drawn.presentation.approval
        assert set(amount + day) <= WRITABLE
        digits = "".join(character for character in amount if character.isdigit())
        assert int(digits) == abs(int(str(drawn.document.totals.amount_due).replace(".", "")))


@pytest.mark.parametrize("text", ["0123456789", "1.234,50", "-7/12 '"])
def test_a_text_is_written_within_its_line_and_never_twice_alike(text):
    lines = hand_lines(text, 20, np.random.default_rng(1))
    points = np.vstack(lines)
    assert points[:, 1].min() > -8 and points[:, 1].max() < 32
    assert points[:, 0].max() < 22 * len(text)
    again = np.vstack(hand_lines(text, 20, np.random.default_rng(2)))
    assert points.shape != again.shape or not np.allclose(points, again)


def test_an_approval_adds_ink_to_the_first_page_and_is_the_same_again():
    recipe = Recipe(
        document_types={DocumentType.INVOICE: 1.0},
        locales={"en_GB": 1.0},
        channels=channels_of_all_types(Channel.SCANNED),
        knobs=NO_KNOBS.model_copy(update={"approvals": 1.0}),
    )
    drawn = draw_document(seed_plan("batch-000", 2, 4, recipe), 0)
    plain = drawn.presentation.model_copy(update={"damage": {}})
    with_approval = render(drawn, 72).pages[0].grey()
    without = render(drawn.model_copy(update={"presentation": plain}), 72).pages[0].grey()
    assert (without.astype(int) - with_approval > 60).sum() > 50
    assert np.array_equal(with_approval, render(drawn, 72).pages[0].grey())
