"""Render reference pages of the documentation from the source: pydantic models and the command line.

`scripts/site_sources.py` writes the pages whenever the site is built; they are not part of the repository, so that they
cannot differ from the code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import click
import typer
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.cli import get_docs_for_click

from finscribe_assets.cli.app import app
from finscribe_assets.documents.knobs import Knobs
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.value_types import Element
from finscribe_assets.evaluation.report import EvaluationReport
from finscribe_assets.training.adapter_config import AdapterConfig, load_preset, preset_names

_BOUNDS: dict[type, Callable[[Any], str]] = {
    Ge: lambda bound: f"≥ {bound.ge:,}",
    Gt: lambda bound: f"> {bound.gt:,}",
    Le: lambda bound: f"≤ {bound.le:,}",
    Lt: lambda bound: f"< {bound.lt:,}",
    MinLen: lambda bound: "not empty",
    MaxLen: lambda bound: f"at most {bound.max_length}",
}
_LONG = 60  # characters of a default value; longer ones are shortened


def cli_page() -> str:
    """Return the page on every command of `finscribe`."""
    command = typer.main.get_command(app)
    text: str = get_docs_for_click(obj=command, ctx=click.Context(command, info_name="finscribe"), name="finscribe")
    _, sections = text.split("\n## ", 1)  # before it stand the help of `finscribe` itself and a list of cut sentences
    overview = inspect.cleandoc(command.help or "")
    return _escaped(f"# Command line\n\n{overview}\n\n## {sections}")


def _escaped(markdown: str) -> str:
    """Return Markdown in which words such as <image> are text, not HTML; in code marks they are text already."""
    return re.sub(r"(`[^`\n]*`)|<(?=\w)", lambda match: match[1] or "&lt;", markdown)


def adapter_config_page() -> str:
    """Return the page on the settings of training, with a table of each preset."""
    presets = {name: load_preset(name).model_dump() for name in preset_names()}
    changed = [key for key, field in AdapterConfig.model_fields.items() if _set_by_presets(key, field, presets)]
    rows = [[f"`{key}`", *(_value(settings[key]) for settings in presets.values())] for key in changed]
    return "\n".join(
        [
            "# Adapter settings",
            "",
            *_model_section(AdapterConfig, level=2),
            "## Presets",
            "",
            "`finscribe train --preset NAME`; `--set key=value` replaces one setting. Settings that no preset changes "
            "are left out.",
            "",
            *_table(["setting", *(f"`{name}`" for name in presets)], rows),
        ]
    )


def recipe_page() -> str:
    """Return the page on recipes and their knobs."""
    rows = []
    for name, field in Knobs.model_fields.items():
        facts: Any = field.json_schema_extra
        applies = "all" if len(facts["documents"]) == len(DocumentType) else ", ".join(facts["documents"])
        if facts["languages"]:
            applies += f" ({', '.join(facts['languages'])})"
        rows.append(
            [
                f"`{name}`",
                f"{field.default:g}",
                field.description or "",
                facts["cause"],
                ", ".join(facts["elements"]) if len(facts["elements"]) < len(Element) else "all",
                applies,
            ]
        )
    header = ["knob", "default", "what is drawn", "cause of failure", "elements", "document types"]
    return "\n".join(
        [
            "# Recipes and knobs",
            "",
            *_model_section(Recipe, level=2, omit=("knobs",)),
            "## Knobs",
            "",
            inspect.cleandoc(Knobs.__doc__ or ""),
            "",
            *_table(header, rows),
        ]
    )


def report_page() -> str:
    """Return the page on the evaluation report's schema."""
    return "\n".join(
        [
            "# Evaluation report",
            "",
            "The structure of `report.json`. `finscribe schema --of report` prints the same as a JSON Schema; "
            "[Evaluation](../evaluation.md) defines each metric.",
            "",
            *(line for model in _nested(EvaluationReport) for line in _model_section(model, level=2)),
        ]
    )


def _set_by_presets(key: str, field: FieldInfo, presets: dict[str, dict[str, Any]]) -> bool:
    return any(settings[key] != field.default for settings in presets.values())


def _nested(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and the models of its fields, each once, in order of first mention."""
    found = [model]
    for seen in found:  # grows while it is read
        for field in seen.model_fields.values():
            found += [inner for inner in _models_in(field.annotation) if inner not in found]
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _model_section(model: type[BaseModel], *, level: int, omit: tuple[str, ...] = ()) -> list[str]:
    rows = [
        [f"`{field.alias or name}`", _type(field), _default(field), field.description or ""]
        for name, field in model.model_fields.items()
        if name not in omit
    ]
    return [
        f"{'#' * level} {model.__name__}",
        "",
        inspect.cleandoc(model.__doc__ or ""),
        "",
        *_table(["field", "type", "default", "meaning"], rows),
    ]


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [*(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines), ""]


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def _type(field: FieldInfo) -> str:
    bounds = [_BOUNDS[type(item)](item) for item in field.metadata if type(item) in _BOUNDS]
    return ", ".join([_name(field.annotation), *bounds])


def _name(annotation: Any) -> str:
    """Return an annotation as a reader of YAML would put it: `list of Slice`, `"lora"` or `"full"`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return "null"
    if origin is Literal:
        return " or ".join(f"`{argument}`" for argument in arguments)
    if origin is dict:
        return f"mapping of {_name(arguments[0])} to {_name(arguments[1])}"
    if origin in (list, tuple):
        if origin is tuple and Ellipsis not in arguments:
            return f"({', '.join(_name(argument) for argument in arguments)})"
        return f"list of {_name(arguments[0])}"
    if hasattr(annotation, "__metadata__"):  # Annotated
        return _name(arguments[0])
    if arguments:  # a union
        return " or ".join(_name(argument) for argument in arguments)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return annotation.__name__
    return {"str": "text", "int": "integer", "float": "number", "bool": "true or false"}.get(
        getattr(annotation, "__name__", ""), str(annotation)
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return _value(field.get_default(call_default_factory=True, validated_data={}))


def _value(value: Any) -> str:
    if value is None or value is PydanticUndefined:
        return "–"
    if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
        return "; ".join(f"{key}: {_value(inner)}" for key, inner in value.items())
    if isinstance(value, dict) and len(set(value.values())) == 1 and len(value) > 1:
        return f"{next(iter(value.values())):g} for each of {len(value)}"
    if isinstance(value, dict):
        text = ", ".join(f"{key}: {weight:g}" for key, weight in value.items()) or "{}"
    elif isinstance(value, tuple | list):
        text = ", ".join(map(str, value)) or "[]"
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    if len(text) > _LONG and not isinstance(value, dict):
        text = text[:_LONG] + "…"
    return f"`{text}`"
