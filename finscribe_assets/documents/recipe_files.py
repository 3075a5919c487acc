"""Read recipes and plans from YAML or JSON files, with errors that name the file, the key, the value and its range."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from finscribe_assets.documents.plan import Plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError

Model = TypeVar("Model", bound=BaseModel)


class _UniqueKeyLoader(yaml.SafeLoader):
    """A YAML loader that rejects duplicate keys. The standard one silently keeps the last of them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                raise yaml.constructor.ConstructorError(
                    "while reading a mapping", node.start_mark, f"the key {key.value!r} is given twice", key.start_mark
                )
            keys.add(str(key.value))
        return super().construct_mapping(node, deep)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from a YAML or JSON file. Absent keys have their defaults."""
    return load_yaml_model(path, Recipe)


def load_plan(path: Path) -> Plan:
    """Read a plan from a YAML or JSON file."""
    return load_yaml_model(path, Plan)


def load_yaml_model(path: Path, model: type[Model]) -> Model:
    """Read a pydantic model from a YAML or JSON file.

    Raises:
        UserError: the file is not valid; the message names each wrong key with its value and what is allowed.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506, a SafeLoader
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML or JSON: {error}") from error
    try:
        return model.model_validate(content if content is not None else {})
    except ValidationError as error:
        raise UserError("\n".join(f"{path}: {line}" for line in validation_messages(error))) from error


def validation_messages(error: ValidationError) -> list[str]:
    """Return one readable line for each problem of a validation error: ``knobs.blur: … (it is 1.5)``."""
    lines = []
    for finding in error.errors():
        where = ".".join(str(part) for part in finding["loc"] if part != "[key]") or "the file"
        problem = "unknown key" if finding["type"] == "extra_forbidden" else finding["msg"]
        value = "" if finding["type"] == "missing" else f" (it is {finding['input']!r})"
        lines.append(f"{where}: {problem}{value}")
    return lines
