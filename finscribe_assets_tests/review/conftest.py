"""Two documents that were read by a model, and their export for review."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from finscribe_assets.review.correction_changes import Annotators
from finscribe_assets.review.review_export import ReviewTool, export_review
from finscribe_assets.review.review_import import ReviewReport, import_review

SIZE = (600, 800)


def _box(left: float, top: float, width: float = 100, page: int = 1) -> list[dict[str, Any]]:
    return [{"page": page, "box": [left, top, left + width, top + 10]}]


LINES = [("Schrauben M8 <b>fest</b>", "10", "1,50", "15,00"), ("Muttern", "20", "0,50", "10,00")]


def prediction(file: Path, number: str) -> dict[str, Any]:
    """Return the record of `extract` for an invoice with two lines."""
    rows = [
        dict(zip(("item_name", "quantity", "net_price", "net_amount"), row, strict=True), unit_code="C62")
        for row in LINES
    ]
    boxes = {
        f"lines[{row}].{name}": _box(50 + 150 * column, 300 + 20 * row)
        for row in range(2)
        for column, name in enumerate(("item_name", "quantity", "net_price", "net_amount"))
    }
    return {
        "id": f"real-{file.stem}",
        "file": str(file),
        "labels": "de_DE",
        "response": {
            "document_type": "invoice",
            "document_number": number,
            "issue_date": "03.04.2025",
            "currency_code": "EUR",
            "seller": {"name": "Größe & Söhne GmbH", "address": {"street": "Am Markt 1 Hinterhaus"}},
            "payment_means": "Überweisung",
            "lines": rows,
            "totals": {"total_without_vat": "25,00 €", "total_with_vat": "1.029,75 €"},
        },
        "confidence": {"document_number": 0.41, "lines[0].net_amount": 0.9},
        "boxes": {
            "document_number": _box(400, 50),
            "issue_date": _box(400, 70),
            "seller.name": _box(50, 50, 220),
            "seller.address.street": [*_box(50, 70), *_box(50, 82)],
            "totals.total_without_vat": _box(500, 500),
            "totals.total_with_vat": _box(500, 520, page=2),
            **boxes,
        },
    }


@dataclass
class Review:
    """An export, with a stand-in for the person and the tool."""

    folder: Path
    tool: ReviewTool = ReviewTool.LABEL_STUDIO

    def tasks(self) -> list[dict[str, Any]]:
        return json.loads((self.folder / "tasks-1.json").read_text(encoding="utf-8"))

    def submitted(self, edit: Callable[[list[dict[str, Any]]], None] | None = None, **settings) -> dict[str, Any]:
        """Return the first task as Label Studio exports it after somebody edited the results and submitted them."""
        task = self.tasks()[0]
        results = copy.deepcopy(task["predictions"][0]["result"])
        if edit:
            edit(results)
        annotation = {"result": results, "was_cancelled": False, "completed_by": 7, "lead_time": 90.0} | settings
        return task | {"annotations": [annotation]}

    def read(self, out: Path, *tasks: dict[str, Any], annotators: Annotators = Annotators.LATEST) -> ReviewReport:
        answers = self.folder.parent / "answers.json"
        answers.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
        return import_review(answers, self.folder, out, annotators=annotators)


@pytest.fixture
def predictions(tmp_path) -> Path:
    records = []
    for name in ("a", "b"):
        file = tmp_path / "inbox" / f"{name}.tiff"
        file.parent.mkdir(exist_ok=True)
        pages = [Image.new("L", SIZE, 255 - number - ord(name)) for number in range(2)]
        pages[0].save(file, save_all=True, append_images=pages[1:])
        records.append(prediction(file, f"RE-{name}/2025"))
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def review(predictions, tmp_path) -> Review:
    export_review(predictions, tmp_path / "review", ReviewTool.LABEL_STUDIO)
    return Review(tmp_path / "review")


def truth_in(out: Path) -> dict[str, Any]:
    """Return the ground truth of the only document of a folder."""
    [file] = [file for file in out.rglob("*.json") if file.name != "review-report.json"]
    return json.loads(file.read_text(encoding="utf-8"))
