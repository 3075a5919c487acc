"""Cases of values with boxes, and their scores by ExtractBench's own code where it is installed."""

import random
from importlib.util import find_spec

from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.rendering.located_boxes import boxes_from_json

INSTALLED = find_spec("extract_bench") is not None
_ROW_FIELDS = ("item_name", "quantity", "net_amount")
_SCHEMA = {
    "type": "object",
    "properties": {
        "document_number": {"type": "string"},
        "issue_date": {"type": "string"},
        "seller": {"type": "object", "properties": {"name": {"type": "string"}}},
        "totals": {"type": "object", "properties": {"amount_due": {"type": "string"}}},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {name: {"type": "string"} for name in _ROW_FIELDS}},
        },
    },
}


def random_case(seed):
    """Return a document, its boxes, a flawed prediction and its boxes, all as JSON."""
    draw = random.Random(seed)
    document = {
        "document_number": f"RE{draw.randrange(10**6):06}",
        "issue_date": f"2026-{draw.randint(1, 12):02}-{draw.randint(10, 28)}",
        "seller": {"name": f"company{draw.randrange(10**6)}"},
        "totals": {"amount_due": f"{draw.randint(100, 999)}.{draw.randint(11, 19)}"},
        "lines": [
            {
                "item_name": f"{draw.choice('abcdefgh') * 6}{index}{draw.randrange(1000)}",
                "quantity": f"{index + 1}{draw.randint(10, 99)}",  # no wrong one equals that of another row
                "net_amount": f"{draw.randint(1000, 9999)}.{draw.randint(11, 99)}",
            }
            for index in range(draw.randint(0, 5))
        ],
    }
    boxes = {path: _random_boxes(draw) for path in flatten(document) if draw.random() < 0.85}
    predicted = {
        path: value if draw.random() < 0.8 or path.endswith("item_name") else f"{value[:-1]}{9 - int(value[-1])}"
        for path, value in flatten(document).items()
        if draw.random() < 0.9 or path.endswith("item_name")
    }
    claims = {path: _flawed_boxes(draw, boxes.get(path) or _random_boxes(draw)) for path in predicted}
    rows = list(range(len(document["lines"])))
    draw.shuffle(rows)
    flaw = draw.choice(["none", "dropped row", "added row", "other row"])
    if rows and flaw in ("dropped row", "other row"):
        removed = rows.pop()
        for path in [path for path in predicted if path.startswith(f"lines[{removed}]")]:
            del predicted[path]
            claims.pop(path)
    moved = {f"lines[{old}]": f"lines[{new}]" for new, old in enumerate(rows)}
    predicted, claims = ({_moved(path, moved): item for path, item in of.items()} for of in (predicted, claims))
    if flaw in ("added row", "other row"):
        for name, value in zip(_ROW_FIELDS, ("xyz xyz", "1000000", "5.55"), strict=True):
            predicted[f"lines[{len(rows)}].{name}"] = value
            claims[f"lines[{len(rows)}].{name}"] = _random_boxes(draw)
    return document, boxes, unflatten(predicted), {path: given for path, given in claims.items() if given}


def _moved(path, moved):
    row, bracket, name = path.partition("]")
    return moved.get(row + bracket, row + bracket) + name


def _random_boxes(draw):
    """Return the lines of a value: mostly one, sometimes several, sometimes with a part on the next page."""
    x, y, width, height = draw.randint(50, 500), draw.randint(50, 800), draw.randint(20, 300), draw.randint(8, 14)
    page = draw.randint(1, 3)
    lines = [(page, [x, y, x + width, y + height])]
    for number in range(1, draw.choice([1, 1, 1, 1, 2, 3])):
        above = y + number * (height + draw.randint(0, 4))
        lines.append((page, [x, above, x + draw.randint(5, width), above + height]))
    if draw.random() < 0.05:
        lines.append((page + 1, [x, 50, x + width, 60]))
    return [{"page": page, "box": box} for page, box in lines]


def _flawed_boxes(draw, boxes):
    """Return the boxes, slightly or widely off, of fewer lines, joined, on another page, or none."""
    change = draw.choice(["same", "near", "near", "far", "first", "joined", "page", "none"])
    if change == "none":
        return []
    if change == "first":
        return boxes[:1]
    if change == "joined":
        sides = list(zip(*(entry["box"] for entry in boxes if entry["page"] == boxes[0]["page"]), strict=True))
        return [{"page": boxes[0]["page"], "box": [*map(min, sides[:2]), *map(max, sides[2:])]}]
    if change == "page":
        return [{"page": entry["page"] + 5, "box": entry["box"]} for entry in boxes]
    flawed = []
    for entry in boxes:
        x0, y0, x1, y1 = entry["box"]
        reach = {"same": 0.0, "near": 0.4, "far": 1.2}[change]
        across, down = (draw.uniform(-reach, reach) * side for side in (x1 - x0, y1 - y0))
        flawed.append({"page": entry["page"], "box": [x0 + across / 2, y0 + down, x1 + across, y1 + down]})
    return flawed


def located(boxes):
    """Return boxes in JSON as the evaluation takes them."""
    return boxes_from_json(boxes)[0]


def extract_bench_counts(document, boxes, predicted, claims):
    """Return ExtractBench's (correct, claimed, expected) of word and page grounding; None where it gives none."""
    from extract_bench.evaluation.metrics.extract.unified_evidence_metric import compute_unified_evidence_metrics
    from extract_bench.test_cases.schema import ExtractFieldTestRule

    rules = [
        ExtractFieldTestRule(field_path=path, evidence=_evidence(flatten(document)[path], lines))
        for path, lines in boxes.items()
    ]
    citations = [
        {"field_path": path, "page": entry["page"], "bbox": _as_coco(entry["box"])}
        for path, entries in claims.items()
        for entry in entries
    ]
    metrics = compute_unified_evidence_metrics(
        document, predicted, rules, citations, _SCHEMA, fuzzy_field_thresholds={}, normalize_dates=False
    )
    found = {metric.metric_name: metric for metric in metrics}
    if "extract_unified_grounded_f1" not in found:
        return None
    counts = found["extract_unified_grounded_f1"].metadata
    return (
        (counts["g_correct"], counts["grounded_pred_claims"], counts["grounded_expected_cells"]),
        (counts["p_correct"], counts["page_pred_claims"], counts["page_expected_cells"]),
        (found["extract_unified_grounded_f1"].value, found["extract_unified_page_f1"].value),
    )


def _evidence(value, lines):
    """Return the evidence of a value as ExtractBench annotates it: each line, and the envelope of several."""
    evidence = [{"page": line["page"], "bbox": _as_coco(line["box"]), "value": value} for line in lines]
    for page in {line["page"] for line in lines}:
        on_page = [line["box"] for line in lines if line["page"] == page]
        if len(on_page) > 1:
            sides = list(zip(*on_page, strict=True))
            around = _as_coco([*map(min, sides[:2]), *map(max, sides[2:])])
            evidence.append({"page": page, "bbox": around, "value": value, "coarse": True})
    return evidence


def _as_coco(box):
    x0, y0, x1, y1 = (side / 1000 for side in box)
    return [x0, y0, x1 - x0, y1 - y0]
