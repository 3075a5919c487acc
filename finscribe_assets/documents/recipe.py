"""Recipes and plans: the knobs from which a document is drawn, and who asked for which documents.

The same vocabulary is used by the generator, stored with each document (the values actually drawn), read by mining
(which knobs do failures share?) and written by the plan (draw more of these).
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from finscribe_assets.documents.elements import Element
from finscribe_assets.documents.schema import DocumentType

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR")

LAYOUTS: dict[DocumentType, tuple[str, ...]] = {
    DocumentType.INVOICE: ("invoice_classic", "invoice_sidebar"),
    DocumentType.RECEIPT: ("receipt_till", "receipt_slip"),
    DocumentType.PURCHASE_ORDER: ("order_form", "order_letter"),
}

# Debian's packages of open fonts; rendering/system.py names which.
FONTS = (
    "DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "Liberation Sans", "Liberation Serif", "Liberation Mono",
    "Open Sans", "Roboto", "Carlito", "Caladea", "Lato", "Cantarell", "B612",
    "EB Garamond", "Courier Prime", "Comic Neue",
)  # fmt: skip

BATCH_KEY = re.compile(r"batch-\d{3,6}")

Intensity = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0, le=1e6)]  # bounded, so that a sum of them is finite


def _knob(default: float, elements: tuple[Element, ...], description: str) -> Any:
    return Field(
        default,
        ge=0.0,
        le=1.0,
        description=description,
        json_schema_extra={"elements": [str(element) for element in elements]},
    )


class Knobs(BaseModel):
    """How often, or how strongly, each hard feature is drawn: 0 never, 1 always or at its strongest.

    Each knob's metadata names the elements that it makes harder to read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label_synonyms: float = _knob(
        0.3, (Element.IDENTIFIER, Element.DATE, Element.AMOUNT), "chance that a label has one of its rarer wordings"
    )
    confusable_identifiers: float = _knob(
        0.2, (Element.IDENTIFIER,), "chance that a number is made of characters that look alike (O0 I1 S5 B8 Z2)"
    )
    long_amounts: float = _knob(
        0.2,
        (Element.AMOUNT, Element.LINE_AMOUNT, Element.TAX),
        "chance that prices are thousands of times larger, so that amounts have many digits",
    )
    small_print: float = _knob(0.15, tuple(Element), "chance that the page is set in small type")
    reversed_print: float = _knob(
        0.15,
        (Element.LINE_ITEM, Element.AMOUNT),
        "chance that the table's head and the amount due are light on a dark ground",
    )
    ambiguous_dates: float = _knob(
        0.3, (Element.DATE,), "chance that dates are all digits with a day no greater than 12"
    )
    two_digit_years: float = _knob(0.1, (Element.DATE,), "chance that dates show two digits of the year")
    wrapped_descriptions: float = _knob(0.2, (Element.LINE_ITEM,), "chance that an item's name is long enough to wrap")
    many_lines: float = _knob(0.15, (Element.LINE_ITEM, Element.LINE_AMOUNT), "chance that the document has many lines")
    several_rates: float = _knob(0.3, (Element.TAX,), "chance that lines carry different tax rates")
    discounts: float = _knob(0.3, (Element.AMOUNT,), "chance of a discount on the whole document")
    prepayments: float = _knob(0.15, (Element.AMOUNT,), "chance that part of the total is paid in advance")
    optional_fields: float = _knob(
        0.6, (Element.IDENTIFIER, Element.TEXT, Element.DATE), "chance of each optional field"
    )
    degradation: float = _knob(0.3, tuple(Element), "strength of blur, noise, skew and JPEG damage on the page")


class Recipe(BaseModel):
    """The distribution documents are drawn from. Weights are relative; an absent or zero weight is never drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_types: dict[DocumentType, Weight] = Field(
        default={DocumentType.INVOICE: 0.5, DocumentType.RECEIPT: 0.25, DocumentType.PURCHASE_ORDER: 0.25},
        description="relative weight of each kind of document",
    )
    locales: dict[str, Weight] = Field(
        default=dict.fromkeys(LOCALES, 1.0), description="relative weight of each locale"
    )
    fonts: dict[str, Weight] = Field(
        default=dict.fromkeys(FONTS, 1.0), description="relative weight of each font family"
    )
    knobs: Knobs = Field(default=Knobs(), description="intensity of each hard feature")

    @model_validator(mode="after")
    def _check_names(self) -> Recipe:
        for field, drawn, allowed in (
            ("locales", self.locales, LOCALES),
            ("fonts", self.fonts, FONTS),
            ("document_types", self.document_types, tuple(DocumentType)),
        ):
            unknown = sorted(set(map(str, drawn)) - set(map(str, allowed)))
            if unknown:
                raise ValueError(f"{field}: unknown {', '.join(unknown)}; known are {', '.join(map(str, allowed))}")
            if not any(drawn.values()):
                raise ValueError(f"{field}: every weight is zero; give at least one a positive weight")
        return self


class PlanComponent(BaseModel):
    """A share of a plan's documents and the recipe they are drawn from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="what this share is for: base, floor, or the knob that it turns up")
    documents: int = Field(ge=0, description="number of documents")
    recipe: Recipe = Field(default=Recipe(), description="what they are drawn from")


class WeakCell(BaseModel):
    """An element that fails in one way often enough to act on, with the evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    element: str
    error_type: str
    failures: int = Field(ge=0)
    trials: int = Field(ge=0)
    lower_bound: float = Field(ge=0, le=1, description="one-sided 95 % Wilson lower bound of the failure rate")
    knobs: tuple[str, ...] = Field(default=(), description="knobs to turn up, those that failures share first")
    examples: tuple[str, ...] = Field(default=(), description="ids of documents that fail so")


class Plan(BaseModel):
    """What one batch is drawn from, and why. A document is a function of (plan, index) and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(description="the batch's key, such as batch-007")
    seed: int = Field(ge=0, lt=2**63, description="seed of every random draw of the batch")
    components: tuple[PlanComponent, ...] = Field(min_length=1, description="shares of the batch, in index order")
    parent: str | None = Field(default=None, description="the batch whose evaluation asked for this one")
    reasons: tuple[WeakCell, ...] = Field(default=(), description="the weak cells that this batch is for")

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: str) -> str:
        if not BATCH_KEY.fullmatch(key):
            raise ValueError(f"key: {key!r} is not of the form batch-007")
        return key

    @property
    def documents(self) -> int:
        """Return the number of documents of the batch."""
        return sum(component.documents for component in self.components)

    def component_of(self, index: int) -> PlanComponent:
        """Return the share that document number ``index`` belongs to."""
        rest = index
        for component in self.components:
            if rest < component.documents:
                return component
            rest -= component.documents
        raise IndexError(f"{self.key} has {self.documents} documents; there is no number {index}")


def seed_plan(key: str, documents: int, seed: int, recipe: Recipe | None = None) -> Plan:
    """Return the plan of a first batch: one share, drawn from the base recipe."""
    return Plan(
        key=key, seed=seed, components=(PlanComponent(name="base", documents=documents, recipe=recipe or Recipe()),)
    )


def next_key(key: str) -> str:
    """Return the key of the batch after this one: batch-007 → batch-008."""
    return f"batch-{int(key.removeprefix('batch-')) + 1:03d}"
