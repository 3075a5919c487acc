"""A service whose model is a function, so that tests need no weights; files are opened as in the real one."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from finscribe_assets.opening.page_content import PageContent
from finscribe_assets.schema_mapping.mapping import SchemaMapping
from finscribe_assets.service.document_reading import ReadBy
from finscribe_assets.service.reader_in_use import AdapterChoice, LoadedModel, ReaderInUse

RESPONSE = {
    "document_type": "invoice",
    "document_number": "RE-17",
    "issue_date": "2024-05-06",
    "seller": {"name": "Nordlicht GmbH"},
    "currency_code": "EUR",
    "totals": {"total_without_vat": "100.00", "total_vat": "19.00", "total_with_vat": "119.00", "amount_due": "119.00"},
}
PATHS = (
    *("document_type", "document_number", "issue_date", "seller.name", "currency_code"),
    *(f"totals.{name}" for name in RESPONSE["totals"]),
)


def png(size: tuple[int, int] = (60, 40)) -> bytes:
    stream = io.BytesIO()
    Image.new("L", size, "white").save(stream, "PNG")
    return stream.getvalue()


def record_of(name: str, id_: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": id_ or name,
        "file": name,
        "pages": 1,
        "response": RESPONSE,
        "confidence": dict.fromkeys(PATHS, 0.97),
        "boxes": {"document_number": [{"page": 1, "box": [10.0, 20.0, 300.0, 60.0]}]},
        **changes,
    }


@dataclass
class FakeExtractor:
    """Gives every document the same record, after a function was called with its name."""

    before: Callable[[str], None] = lambda _: None
    marker: str = ""

    def read_content(self, name: str, content: PageContent, box: None = None, id_: str | None = None) -> dict[str, Any]:
        self.before(name)
        return record_of(name, id_, labels=self.marker or None)


def fake_model(before: Callable[[str], None] = lambda _: None, mapping: SchemaMapping | None = None) -> ReaderInUse:
    loaded = LoadedModel(FakeExtractor(before), ReadBy(base="fake", adapter=None, batch=None), mapping=mapping)
    return ReaderInUse(AdapterChoice, lambda _: loaded)
