"""Documents of which only some fields are labelled, so that required ones may be absent."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import Field, create_model, model_validator

from finscribe_assets.documents.schema import Document
from finscribe_assets.documents.terms import Term


class _UncheckedDocument(Document):
    """A document that may lack whole groups, such as its lines."""

    @model_validator(mode="after")
    def _check_parts(self) -> _UncheckedDocument:
        return self


@cache
def partial_document() -> type[Document]:
    """Return the model of a document in which no field is required: an absent one is None, an absent list is empty.

    It is a subclass of `Document`, so what takes a document takes it too. Fields that the schema requires may be None
    in spite of their declared type: ask for the labelled ones only.
    """
    return _optional(_UncheckedDocument)


@cache
def _optional(model: type[Term]) -> type[Any]:
    """Return a subclass of a group of terms without required fields."""
    fields: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        annotation = _with_optional_groups(info.annotation)
        if info.is_required() or info.default not in (None, ()):  # no value is presumed either
            checked = Annotated[annotation, *info.metadata] if info.metadata else annotation
            fields[name] = (checked | None, Field(default=None))
        elif annotation != info.annotation:
            fields[name] = (annotation, Field(default=info.default))
    return create_model(f"Partial{model.__name__.strip('_')}", __base__=model, **fields)


def _with_optional_groups(annotation: Any) -> Any:
    """Return a type with each group of terms in it replaced by one without required fields."""
    if isinstance(annotation, type) and issubclass(annotation, Term):
        return _optional(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return tuple[tuple(map(_with_optional_groups, arguments))]  # type: ignore[misc]
    if any(isinstance(argument, type) and issubclass(argument, Term) for argument in arguments):
        return _with_optional_groups(arguments[0]) | None  # a group that a document may lack
    return annotation
