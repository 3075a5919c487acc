"""A small recipe with some of every kind of factor."""

from __future__ import annotations

import pytest

from finscribe_assets.documents.knobs import NO_KNOBS
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.probing.battery import Battery
from finscribe_assets.probing.factors import FactorSpace

KNOBS = ("optional_fields", "long_amounts", "reversed_print", "confusable_identifiers", "several_pages", "stamp")
SMALL_RECIPE = Recipe(
    document_types={DocumentType.INVOICE: 0.6, DocumentType.BANK_STATEMENT: 0.4},
    locales={"en_GB": 1.0, "de_DE": 1.0, "fr_FR": 1.0},
    layouts=dict.fromkeys(("invoice_classic", "invoice_open", "statement_plain", "statement_boxed"), 1.0),
    fonts=dict.fromkeys(("DejaVu Sans", "Lato", "EB Garamond"), 1.0),
    knobs=NO_KNOBS.model_copy(update=dict.fromkeys(KNOBS, 0.3)),
)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return SMALL_RECIPE


@pytest.fixture(scope="session")
def space() -> FactorSpace:
    return FactorSpace(SMALL_RECIPE)


@pytest.fixture(scope="session")
def battery(space: FactorSpace) -> Battery:
    return Battery(space, 7)
