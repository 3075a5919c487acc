"""Which fields of a document are labelled: a partial ground truth says nothing of the other ones.

People label the four fields that they need; some profiles of electronic invoices have no lines. A value that was not
labelled may well be on the page, so that it is neither asked of a reader nor counted against it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from finscribe_assets.documents.elements import FIELDS, TERMS, element_of, field_of
from finscribe_assets.errors import UserError

LabelledFields = frozenset[str]
"""Names of labelled fields and groups, such as ``seller.name``, ``lines`` or ``totals.total_with_vat``."""

_GROUPS = frozenset(path[:index] for path in FIELDS for index, character in enumerate(path) if character == ".")


def is_labelled(path: str, labelled: LabelledFields | None) -> bool:
    """Tell whether a value is labelled: its field is listed, or a group that it is in.

    Args:
        path: of the value, with or without list positions.
        labelled: names of the labelled fields and groups; None if all fields are labelled.
    """
    if labelled is None:
        return True
    name = field_of(path)
    return name in labelled or any(name[:index] in labelled for index, character in enumerate(name) if character == ".")


def unlabelled_fields(labelled: LabelledFields | None) -> frozenset[str]:
    """Return the fields of the schema that are not labelled."""
    return frozenset(path for path in TERMS if not is_labelled(path, labelled))


def labelled_fields(names: Iterable[object], known: Collection[str] = ()) -> LabelledFields:
    """Return checked names of labelled fields.

    Args:
        names: fields and groups; those given as ``lines[0].net_amount`` count as ``lines.net_amount``.
        known: paths of values outside of the schema that the ground truth has, which may be listed too.

    Raises:
        UserError: a name is neither in the schema nor among the known ones, or there is none.
    """
    allowed = FIELDS.keys() | _GROUPS | {prefix for path in known for prefix in _with_groups(field_of(path))}
    labelled = []
    for given in names:
        name = field_of(given.strip()) if isinstance(given, str) else ""
        if name not in allowed and element_of(name) is None:  # custom fields state what they are
            close = get_close_matches(name, allowed, 1)
            hint = f"; did you mean {close[0]!r}?" if close else "; `finscribe schema` lists the fields"
            raise UserError(f"labelled: {given!r} is no field or group of the schema{hint}")
        labelled.append(name)
    if not labelled:
        raise UserError("labelled: the list is empty; name the fields that were labelled, or leave it out")
    return frozenset(labelled)


def _with_groups(name: str) -> list[str]:
    return [name, *(name[:index] for index, character in enumerate(name) if character == ".")]
