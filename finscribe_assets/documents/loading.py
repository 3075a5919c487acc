"""Recipes and plans from files, with errors that name the key, the value and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from finscribe_assets.documents.recipe import Plan, Recipe

Model = TypeVar("Model", bound=BaseModel)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from YAML or JSON; keys left out keep their defaults."""
    return load(path, Recipe)


def load_plan(path: Path) -> Plan:
    """Read a plan from YAML or JSON."""
    return load(path, Plan)


def load(path: Path, model: type[Model]) -> Model:
    """Read a model from a YAML or JSON file.

    Raises:
        ValueError: naming the file and each wrong key with its value and what is allowed.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML or JSON: {error}") from error
    try:
        return model.model_validate(content if content is not None else {})
    except ValidationError as error:
        raise ValueError("\n".join(f"{path}: {line}" for line in explain(error))) from error


def explain(error: ValidationError) -> list[str]:
    """Return a validation error's findings, one readable line each."""
    lines = []
    for finding in error.errors():
        where = ".".join(str(part) for part in finding["loc"] if part != "[key]") or "the file"
        said = "unknown key" if finding["type"] == "extra_forbidden" else finding["msg"]
        value = "" if finding["type"] == "missing" else f" (it is {finding['input']!r})"
        lines.append(f"{where}: {said}{value}")
    return lines
