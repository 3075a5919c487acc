"""How tasks are put into words. A pair's wording follows from its id, so that it never changes between runs."""

from __future__ import annotations

from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.schema import Document
from finscribe_assets.files import sha256_of

FULL = (
    "Extract all the data of this document as JSON.",
    "Read this document and return its content as JSON.",
    "Convert the document to structured JSON.",
    "Return every value printed on this document as a JSON object.",
)
REGION = (
    "Extract the data of this part of the document as JSON.",
    "Read this region and return its values as JSON.",
    "Return the values printed in this block as a JSON object.",
    "Convert this part of the page to JSON.",
)
QUESTION = (
    "What is the {what}? Answer as JSON with the key {key}; null if it is not there.",
    "Find the {what} and return it as JSON under {key}, or null if it is absent.",
    "Return the {what} as a JSON object with the key {key}. Use null when the document does not show it.",
    "Read the {what} from this document. Reply with JSON: the key is {key}, the value null if there is none.",
)


def worded(wordings: tuple[str, ...], pair_id: str, **values: str) -> str:
    """Return the wording that belongs to a pair, filled in."""
    return wordings[int(sha256_of(pair_id)[:8], 16) % len(wordings)].format(**values)


def describe(path: str) -> str:
    """Return a field's description from the schema, such as ``name of the party (seller)``."""
    group, _, _ = path.partition(".")
    schema = Document.model_json_schema()
    node, words = schema, ""
    for name in field_of(path).split("."):
        properties = node.get("properties", {})
        if name not in properties:
            raise KeyError(f"{path}: the schema has no such field")
        node = properties[name]
        words = node.get("description", name)
        node = _resolved(node, schema)
    return f"{words} ({group})" if "." in path and group in ("seller", "buyer") else words


def _resolved(node: dict, schema: dict) -> dict:
    for option in (node, node.get("items", {}), *node.get("anyOf", ())):
        if "$ref" in option:
            return schema["$defs"][option["$ref"].removeprefix("#/$defs/")]
    return node
