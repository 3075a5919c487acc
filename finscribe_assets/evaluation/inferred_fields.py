"""Give types to the values of a ground truth that the schema has no field for, by how they are written and named.

People's own keys (``company``, ``menu[0].price``, ``Invoice No.``) are compared and counted as dates, amounts,
identifiers or text, as custom fields. A schema mapping says more; this is what can be done without one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from finscribe_assets.documents.elements import (
    FIELDS,
    LIST_FIELDS,
    Element,
    ValueType,
    custom_field,
    value_type_of,
)
from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.documents.schema import flatten
from finscribe_assets.documents.wordings import labels_of
from finscribe_assets.evaluation.amounts import find_decimal_mark, parse_amount
from finscribe_assets.evaluation.dates import parse_date
from finscribe_assets.evaluation.plain_text import AmbiguousValueError, UnreadableValueError
from finscribe_assets.evaluation.times import parse_time

MAX_EXAMINED_VALUES = 400  # of each key, by which its type is inferred
MIN_SHARE = 0.7  # of a key's values that are of a type, for the key to be of it
MIN_NAMED_SHARE = 0.4  # the same, if the key's name says so too
MIN_THOUSANDS = 3  # amounts such as 25,000 after which the mark of a file that shows no decimals groups thousands
MAX_KEY_LENGTH = 60
_INDEX = re.compile(r"\[(\d{1,7})\]")
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_THOUSANDS = re.compile(r"(?<!\d)\d{1,3}([.,])\d{3}(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[-./](\d{1,2})[-./](?:\d{4}|\d{2})(?!\d)")


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words in names of keys, besides the labels of the locales.
_NAMED: dict[ValueType, frozenset[str]] = {
    ValueType.TIME: _words_of("time hora heure uhrzeit ora tijd 时间 時間 時刻"),
    ValueType.DATE: _words_of(
        "date dated day datum data fecha dia due expiry issued birthday geburtsdatum 日期 日付 年月日 生年月日"
    ),
    ValueType.IDENTIFIER: _words_of(
        """no nr num number id code ref reference gstin vat_id iban bic phone tel telephone fax mobile account card zip
        postcode serial order sku barcode email mail web website url # 编号 号码 番号 電話 电话 邮编"""
    ),
    ValueType.AMOUNT: _words_of(
        """amount total subtotal sum price unitprice cost fee tax vat gst discount tip tips cash change balance paid due
        charge service qty quantity cnt count rate percent betrag summe montant importe importo prix precio prezzo preis
        bedrag kwota 金额 金額 合计 合計 单价 単価 数量 税"""
    ),
}
_ELEMENTS_NAMED: tuple[tuple[Element, frozenset[str]], ...] = (
    (Element.ADDRESS, _words_of("address addr street city location adresse anschrift indirizzo 地址 住所")),
    (Element.TAX, _words_of("tax vat gst mwst ust tva iva 税 税率 税额")),
    (
        Element.PARTY,
        _words_of(
            """company vendor merchant store shop seller buyer customer client supplier payee biller name firma 公司
            名称 姓名 氏名 会社名"""
        ),
    ),
)
_BY_TYPE = {
    ValueType.AMOUNT: Element.AMOUNT,
    ValueType.DATE: Element.DATE,
    ValueType.TIME: Element.DATE,
    ValueType.IDENTIFIER: Element.IDENTIFIER,
    ValueType.TEXT: Element.TEXT,
}


class _Key(NamedTuple):
    """A key of the user's, outside or inside of a list."""

    list: str  # path of the outermost list without positions; empty outside of lists
    name: str  # path inside of the list, without positions


@dataclass(frozen=True)
class InferredFields:
    """Custom fields for the keys of a ground truth that the schema does not have.

    Attributes:
        fields: custom field by key.
        lists: names of the lists under which the rows of the user's lists are matched.
        decimal_mark: what the file's amounts have before decimals; None if they do not show it.
        locale: whose order of day and month the file's dates have; None if they do not show it.
    """

    fields: Mapping[_Key, str]
    lists: Mapping[str, str] = field(default_factory=dict)
    decimal_mark: str | None = None
    locale: str | None = None

    def path(self, path: str) -> str:
        """Return the path of a custom field for that of a user's value; other paths stay as they are."""
        key, position, inner = _split(path)
        custom = self.fields.get(key)
        if custom is None:
            return path
        row = f"{self.lists.get(key.list, key.list)}[{position}]." if key.list else ""
        return f"{row}{custom}{inner}"

    def rename(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values by the paths of their custom fields."""
        return {self.path(path): value for path, value in values.items()}

    def labelled(self, names: Iterable[str]) -> frozenset[str]:
        """Return the fields of labelled names, each of which is a field, a key of the user's, or a group of keys."""
        fields = set(names)
        for name in tuple(fields):
            for key, custom in self.fields.items():
                whole = ".".join(part for part in key if part)
                if f"{whole}.".startswith(f"{name}."):
                    fields.add(f"{self.lists.get(key.list, key.list)}.{custom}" if key.list else custom)
        return frozenset(fields)


def infer_fields(documents: Iterable[Mapping[str, Any]]) -> InferredFields | None:
    """Infer custom fields for the values of documents that the schema has no field for.

    Args:
        documents: true documents of one file, whose keys are of one kind.

    Returns:
        The fields; None if the schema has all of the values.
    """
    values: dict[_Key, list[str]] = {}
    for document in documents:
        for path, value in flatten(document).items():
            if value_type_of(path) is None:
                texts = values.setdefault(_split(path)[0], [])
                if len(texts) < MAX_EXAMINED_VALUES and isinstance(value, str | int | float) and str(value).strip():
                    texts.append(str(value))
    if not values:
        return None
    lists = _unique({key.list: None for key in values if key.list and key.list not in LIST_FIELDS}, _list_name)
    names = _unique(dict.fromkeys(values), _custom_name)
    types = {key: _value_type(key, texts) for key, texts in values.items()}
    amounts = [text for key, texts in values.items() if types[key] is ValueType.AMOUNT for text in texts]
    dates = [text for key, texts in values.items() if types[key] is ValueType.DATE for text in texts]
    fields = {key: custom_field(names[key], _element(key, types[key]), types[key]) for key in values}
    return InferredFields(fields, lists, _decimal_mark(amounts), _date_locale(dates))


def _split(path: str) -> tuple[_Key, int, str]:
    """Return the key of a path, its position in the outermost list, and its positions in further lists."""
    found = _INDEX.search(path)
    if found is None or found.start() == 0:
        return _Key("", path), 0, ""
    inside = path[found.end() :].removeprefix(".")
    inner = "".join(index[0] for index in _INDEX.finditer(inside))
    return _Key(path[: found.start()], _INDEX.sub("", inside)), int(found[1]), inner


def _unique(keys: Mapping[Any, None], name_of: Callable[[Any], str]) -> dict[Any, str]:
    """Return a name for each key; names that are taken get another letter."""
    names: dict[Any, str] = {}
    for key in keys:
        name = name_of(key)
        while name in names.values() or name in LIST_FIELDS:
            name += "x"
        names[key] = name
    return names


def _list_name(name: str) -> str:
    return re.sub(r"[^a-z_]", "_", name.casefold())[:MAX_KEY_LENGTH] if name.isascii() else "list"


def _custom_name(key: _Key) -> str:
    return (
        re.sub(r"\W+", "_", f"{key.list}_{key.name}" if key.list else key.name).strip("_")[:MAX_KEY_LENGTH] or "value"
    )


def _value_type(key: _Key, texts: list[str]) -> ValueType:
    """Return the type of a key by its values; where they leave it open, by its name."""
    if not texts:
        return _type_by_name(key) or ValueType.TEXT
    shares = {
        ValueType.TIME: _share(texts, parse_time),
        ValueType.DATE: _share(texts, lambda text: parse_date(text, "en_GB")),
        ValueType.AMOUNT: _share(texts, lambda text: parse_amount(text, "en_US", units=True)),
    }
    named = _type_by_name(key)
    if named is ValueType.IDENTIFIER and not any(mark in text for text in texts for mark in "€$£¥"):
        return ValueType.IDENTIFIER if _share(texts, _check_code) >= MIN_NAMED_SHARE else ValueType.TEXT
    for value_type, share in shares.items():
        if share >= (MIN_NAMED_SHARE if named is value_type else MIN_SHARE):
            is_number = value_type is ValueType.AMOUNT and named is not ValueType.AMOUNT
            return ValueType.IDENTIFIER if is_number and _share(texts, _check_long_number) >= MIN_SHARE else value_type
    is_code = named is None and _share(texts, _check_code) >= MIN_SHARE
    return ValueType.IDENTIFIER if is_code else ValueType.TEXT


def _share(texts: list[str], parse: Callable[[str], object]) -> float:
    """Return the share of texts that can be parsed; what could be several values of a type is of the type."""
    parsed = 0
    for text in texts:
        try:
            parse(text)
        except AmbiguousValueError:
            parsed += 1
        except UnreadableValueError:
            continue
        else:
            parsed += 1
    return parsed / len(texts)


def _check_code(text: str) -> None:
    """Raise an error unless a text looks like a number or code: with digits, and at most two words."""
    if not any(character.isdigit() for character in text) or len(text.split()) > 4 or len(text) > 40:
        raise UnreadableValueError(text[:60])


def _check_long_number(text: str) -> None:
    if not (text.isascii() and text.isdigit() and len(text) >= 6):
        raise UnreadableValueError(text[:60])


def _words(key: _Key) -> set[str]:
    name = _own_name(key)
    words = {word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", name))}
    return words | {_as_label(name)} | ({"#"} if "#" in name else set())


def _own_name(key: _Key) -> str:
    """Return the name of a key; that of its list, if the list's items are the values."""
    return key.name or key.list


def _as_label(name: str) -> str:
    return name.casefold().strip(" .:#")


def _type_by_name(key: _Key) -> ValueType | None:
    if (field_name := _labels().get(_as_label(_own_name(key)))) is not None:
        return value_type_of(field_name)
    words = _words(key)
    return next((value_type for value_type, names in _NAMED.items() if words & names), None)


def _element(key: _Key, value_type: ValueType) -> Element:
    """Return the element that errors of a key are counted with."""
    if key.list and key.name:
        return Element.LINE_AMOUNT if value_type is ValueType.AMOUNT else Element.LINE_ITEM
    words = _words(key)
    if (field_name := _labels().get(_as_label(_own_name(key)))) is not None:
        element, known_type = FIELDS[field_name]
        if known_type is value_type and element not in (Element.LINE_ITEM, Element.LINE_AMOUNT):
            return element
    for element, names in _ELEMENTS_NAMED:
        if words & names and (value_type is ValueType.AMOUNT) == (element is Element.TAX):
            return element
    return _BY_TYPE[value_type]


@cache
def _labels() -> dict[str, str]:
    """Return the field that each label of the locales stands for, where all labels of that wording mean one type."""
    meanings: dict[str, set[str]] = {}
    for locale in LOCALE_FACTS:
        for name, wordings in labels_of(locale).items():
            if name in FIELDS:
                for wording in wordings:
                    meanings.setdefault(_as_label(wording), set()).add(name)
    return {wording: min(names) for wording, names in meanings.items() if len({FIELDS[name][1] for name in names}) == 1}


def _decimal_mark(amounts: list[str]) -> str | None:
    """Return the mark before the decimals of a file's amounts.

    Where all marks stand before three digits, as in 25,000, they group thousands.
    """
    if (mark := find_decimal_mark(amounts)) is not None:
        return mark
    grouped = Counter(found[1] for text in amounts for found in _THOUSANDS.finditer(text))
    if len(grouped) == 1 and grouped.total() >= MIN_THOUSANDS:
        return ".,".replace(next(iter(grouped)), "")
    return None


def _date_locale(dates: list[str]) -> str | None:
    """Return a locale with the order of day and month that a file's dates show."""
    found = [(int(date[1]), int(date[2])) for text in dates for date in _DAY_FIRST.finditer(text)]
    day_first = any(first > 12 and second <= 12 for first, second in found)
    month_first = any(second > 12 and first <= 12 for first, second in found)
    return None if day_first == month_first else "en_GB" if day_first else "en_US"
