"""Read mapping files: YAML written by people, with errors that name the file, the line, the key and the mend."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from babel.numbers import list_currencies
from rapidfuzz import process

from finscribe_assets.documents.elements import FIELDS, LIST_FIELDS, Element, ValueType, field_of, value_type_of
from finscribe_assets.documents.locales import is_known_locale
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.schema_mapping.date_patterns import check_date_pattern
from finscribe_assets.schema_mapping.mapping import (
    Absent,
    Labelled,
    MappedKey,
    SchemaMapping,
    Written,
    element_of_paths,
    usual_element,
)
from finscribe_assets.schema_mapping.user_paths import MAX_POSITION, UserPath

_SUFFIXES = (".yaml", ".yml", ".json")
_SUGGESTIONS = 3
_MAX_FILE_BYTES = 1_000_000
_GROUPS = frozenset(path[:index] for path in FIELDS for index, character in enumerate(path) if character == ".")
_TOP = ("name", "source", "locale", "currency", "labelled", "absent", "dates", "amounts", "keys")
_OPTIONS = ("path", "paths", "type", "element", "write", "locale", "format", "join")
_TEMPORAL = (ValueType.DATE, ValueType.TIME)

_Choice = TypeVar("_Choice", bound=StrEnum)


def shipped_mappings() -> tuple[str, ...]:
    """Return the names of the mappings that the package ships."""
    folder = files("finscribe_assets.schema_mapping").joinpath("shipped")
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def load_mapping(name: str) -> SchemaMapping:
    """Read a mapping: the name of a shipped one, or a file.

    Raises:
        MissingInputError: there is no such mapping.
        UserError: the file is not a mapping; the message names file, line, key and mend.
    """
    if name in shipped_mappings():
        resource = files("finscribe_assets.schema_mapping").joinpath("shipped", f"{name}.yaml")
        return parse_mapping(resource.read_text("utf-8"), name, f"{name}.yaml")
    path = Path(name)
    if not path.is_file():
        raise MissingInputError(
            f"{name}: neither a file nor a mapping of the package; those are {', '.join(shipped_mappings())}"
        )
    if path.suffix.lower() not in _SUFFIXES or path.stat().st_size > _MAX_FILE_BYTES:
        raise UserError(f"{name}: a mapping is a YAML file of at most {_MAX_FILE_BYTES:,} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8 text") from error
    return parse_mapping(text, path.stem, name)


def parse_mapping(text: str, name: str, file: str) -> SchemaMapping:
    """Return the mapping that a YAML text states.

    Args:
        text: the content of the file.
        name: of the mapping, if the text states none.
        file: named in errors.

    Raises:
        UserError: the text is not a mapping.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{file}: not valid YAML: {error}") from error
    if root is None:
        raise UserError(f"{file}: the file is empty; write `keys:` with a line such as `total: totals.total_with_vat`")
    top = _members(root, file, "the file", _TOP)
    if "keys" not in top:
        raise UserError(f"{file}: `keys` is missing: write each key of your JSON there, as `your_key: schema.path`")
    options = {key: _text(top[key], file, key) for key in top if key != "keys"}
    settings = _Defaults(
        _choice(options.get("dates"), Written, (Written.AS_PRINTED, Written.ISO), top, file, "dates"),
        _choice(
            options.get("amounts"),
            Written,
            (Written.AS_PRINTED, Written.DECIMAL, Written.NUMBER),
            top,
            file,
            "amounts",
        ),
    )
    keys = [_key(key, node, settings, file) for key, node in _key_nodes(top["keys"], file)]
    in_lists = {key.user_path.list_prefix for key, _ in keys if key.list_name}
    mapping = SchemaMapping(
        name=options.get("name") or name,
        source=options.get("source", ""),
        locale=_locale(options.get("locale"), top.get("locale"), file, "locale"),
        currency=_currency(options.get("currency"), top.get("currency"), file),
        labelled=_choice(options.get("labelled"), Labelled, tuple(Labelled), top, file, "labelled")
        or Labelled.MAPPED_KEYS,
        absent=_choice(options.get("absent"), Absent, tuple(Absent), top, file, "absent") or Absent.LEAVE_OUT,
        keys=tuple(_with_element(key, node, in_lists) for key, node in keys),
    )
    _check_consistency(mapping, {key.key: node for key, node in keys}, file)
    return mapping


@dataclass(frozen=True)
class _Defaults:
    """How values are written whose key does not say so; None for as printed."""

    dates: Written | None
    amounts: Written | None

    def of(self, value_type: ValueType) -> Written:
        given = self.amounts if value_type is ValueType.AMOUNT else self.dates if value_type in _TEMPORAL else None
        return given or Written.AS_PRINTED


def _where(file: str, node: yaml.Node | None, key: str) -> str:
    line = f"line {node.start_mark.line + 1}: " if node is not None else ""
    return f"{file}: {line}{key}"


def _members(node: yaml.Node, file: str, key: str, allowed: Collection[str]) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise UserError(f"{_where(file, node, key)}: write it as `name: value`, one a line; {', '.join(allowed)}")
    members: dict[str, yaml.Node] = {}
    for name_node, value in node.value:
        name = str(name_node.value)
        if name not in allowed:
            raise UserError(f"{_where(file, name_node, name)}: unknown{_suggest(name, allowed)}")
        if name in members:
            raise UserError(f"{_where(file, name_node, name)}: given twice; keep one")
        members[name] = value
    return members


def _key_nodes(node: yaml.Node, file: str) -> Iterator[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise UserError(f"{_where(file, node, 'keys')}: write each key of your JSON as `your_key: schema.path`")
    for name_node, value in node.value:
        if not isinstance(name_node, yaml.ScalarNode):
            raise UserError(f"{_where(file, name_node, 'keys')}: a key is a text; quote one with brackets")
        yield name_node.value, value


def _key(name: str, node: yaml.Node, defaults: _Defaults, file: str) -> tuple[MappedKey, yaml.Node]:
    where = _where(file, node, f"key {name!r}")
    try:
        path = UserPath.parse(name)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    if path.steps.count(None) > 1:
        raise UserError(f"{where}: [*] stands twice; a list inside a list has no counterpart in the schema")
    if any(isinstance(step, int) and step > MAX_POSITION for step in path.steps):
        raise UserError(f"{where}: positions go up to {MAX_POSITION}")
    if isinstance(node, yaml.MappingNode):
        members = _members(node, file, f"key {name!r}", _OPTIONS)
    elif isinstance(node, yaml.SequenceNode):
        members = {"paths": node}
    else:
        members = {"path": node}
    if "path" in members and "paths" in members:
        raise UserError(f"{where}: `path` and `paths` are both given; keep one")
    given = {option: _text(member, file, option) for option, member in members.items() if option != "paths"}
    paths = (given["path"],) if "path" in given else _texts(members["paths"], file) if "paths" in members else ()
    for schema_path in paths:
        _check_schema_path(schema_path, path, where)
    value_type = _value_type(given, paths, members, file, where)
    element = _choice(given.get("element"), Element, tuple(Element), members, file, "element")
    key = MappedKey(
        key=str(path),
        paths=paths,
        type=value_type,
        element=element or element_of_paths(paths) or usual_element(value_type, in_lines=False),
        write=_written(given, members, value_type, defaults, file),
        locale=_locale(given.get("locale"), members.get("locale"), file, "locale"),
        format=given.get("format"),
        join=given.get("join", ", "),
    )
    if key.format is not None:
        if value_type is not ValueType.DATE:
            raise UserError(f"{where}: `format` is for dates; the key is of type {value_type}")
        try:
            check_date_pattern(key.format)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
    return key, node


def _with_element(key: MappedKey, node: yaml.Node, in_lists: Collection[tuple[Any, ...] | None]) -> MappedKey:
    """Return a key with the element of line items if it is a column of theirs that the schema lacks."""
    states_element = isinstance(node, yaml.MappingNode) and any(name.value == "element" for name, _ in node.value)
    if key.paths or states_element or key.user_path.list_prefix not in in_lists:
        return key
    return key.model_copy(update={"element": usual_element(key.type, in_lines=True)})


def _value_type(
    given: Mapping[str, str], paths: tuple[str, ...], members: Mapping[str, yaml.Node], file: str, where: str
) -> ValueType:
    stated = _choice(given.get("type"), ValueType, tuple(ValueType), members, file, "type")
    known = value_type_of(paths[0]) if len(paths) == 1 else ValueType.TEXT if paths else None
    if not paths and stated is None:
        raise UserError(
            f"{where}: give a `path` of the schema, or a `type` for a value that the schema has no field for "
            f"({', '.join(ValueType)})"
        )
    if known is not None and stated not in (None, known):
        raise UserError(
            f"{where}: {paths[0]} is of type {known} in the schema, not {stated}; leave `type` out, or `path` to "
            "compare the value as another one"
        )
    return stated or known or ValueType.TEXT


def _written(
    given: Mapping[str, str], members: Mapping[str, yaml.Node], value_type: ValueType, defaults: _Defaults, file: str
) -> Written:
    allowed = {
        ValueType.AMOUNT: (Written.AS_PRINTED, Written.DECIMAL, Written.NUMBER),
        ValueType.DATE: (Written.AS_PRINTED, Written.ISO),
        ValueType.TIME: (Written.AS_PRINTED, Written.ISO),
    }.get(value_type, (Written.AS_PRINTED,))
    return _choice(given.get("write"), Written, allowed, members, file, "write") or defaults.of(value_type)


def _check_schema_path(schema_path: str, path: UserPath, where: str) -> None:
    name = field_of(schema_path)
    if name not in FIELDS and name not in _GROUPS:
        raise UserError(f"{where}: {schema_path!r} is not in the schema{_suggest(name, FIELDS)}")
    list_name = name.partition(".")[0]
    if name in LIST_FIELDS:
        columns = [field for field in FIELDS if field.startswith(f"{name}.")]
        raise UserError(f"{where}: {name} is a list; map its columns, such as `{path}[*].column: {columns[0]}`")
    if list_name in LIST_FIELDS and (path.list_prefix is None) != ("[" in schema_path):
        raise UserError(
            f"{where}: {list_name} is a list; write [*] behind your list, as in `items[*].name: {name}`, or name one "
            f"item of it, as in {list_name}[0]{name.removeprefix(list_name)}"
        )
    if list_name not in LIST_FIELDS and (path.list_prefix is not None or "[" in schema_path):
        lists = ", ".join(LIST_FIELDS)
        raise UserError(f"{where}: {schema_path} is no field of a list; [*] goes with {lists}, or with a `type` alone")


def _check_consistency(mapping: SchemaMapping, nodes: Mapping[str, yaml.Node], file: str) -> None:
    """Check that the mapping can be followed in both directions."""
    fields: dict[str, str] = {}
    lists: dict[str, dict[tuple[Any, ...], MappedKey]] = {}
    paths: dict[tuple[Any, ...], str] = {}
    for key in mapping.keys:
        where = _where(file, nodes[key.key], f"key {key.key!r}")
        if key.user_path.steps in paths:
            raise UserError(f"{where}: given twice; keep one")
        paths[key.user_path.steps] = key.key
        if (first := fields.get(mapping.field_of_key[key.key])) is not None:
            raise UserError(f"{where}: {key.paths[0] if key.paths else 'its name'} is {first!r} already; keep one")
        fields[mapping.field_of_key[key.key]] = key.key
        prefix = key.user_path.list_prefix
        if prefix is None or key.list_name is None:
            continue
        if (listed := mapping.list_of[prefix]) != key.list_name:
            raise UserError(f"{where}: its list is {listed} for other keys, and {key.list_name} here; they must agree")
        lists.setdefault(key.list_name, {})[prefix] = key
    for list_name, keys in lists.items():
        if len(keys) > 1 and not all(key.user_path.names_items for key in keys.values()):
            earlier, later, *_ = keys.values()
            raise UserError(
                f"{_where(file, nodes[later.key], f'key {later.key!r}')}: {list_name} is the list of {earlier.key!r} "
                "already; two lists of objects cannot be told apart when they are written"
            )
    for steps, name in paths.items():
        if owner := next((paths[steps[:end]] for end in range(1, len(steps)) if steps[:end] in paths), None):
            where = _where(file, nodes[name], f"key {name!r}")
            raise UserError(f"{where}: {owner!r} is a value; it cannot have members too")


def _choice(
    given: str | None,
    kind: type[_Choice],
    allowed: Collection[_Choice],
    nodes: Mapping[str, yaml.Node],
    file: str,
    name: str,
) -> _Choice | None:
    if given is None:
        return None
    if given not in allowed:
        known = ", ".join(allowed)
        raise UserError(
            f"{_where(file, nodes.get(name), name)}: {given!r} is none of {known}{_suggest(given, allowed)}"
        )
    return kind(given)


def _locale(given: str | None, node: yaml.Node | None, file: str, name: str) -> str | None:
    if given is not None and not is_known_locale(given):
        raise UserError(f"{_where(file, node, name)}: {given!r} is unknown; give one such as de_AT")
    return given


def _currency(given: str | None, node: yaml.Node | None, file: str) -> str | None:
    if given is not None and given not in list_currencies():
        raise UserError(f"{_where(file, node, 'currency')}: {given!r} is no ISO 4217 code; give one such as EUR")
    return given


def _text(node: yaml.Node, file: str, key: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value:
        raise UserError(f"{_where(file, node, key)}: write one value")
    return str(node.value)


def _texts(node: yaml.Node, file: str) -> tuple[str, ...]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise UserError(f"{_where(file, node, 'paths')}: write a list, such as [buyer.name, buyer.address]")
    return tuple(_text(item, file, "paths") for item in node.value)


def _suggest(name: str, known: Collection[str]) -> str:
    """Return the nearest known names as part of an error."""
    nearest = [match for match, score, _ in process.extract(name, list(known), limit=_SUGGESTIONS) if score > 50]
    more = "" if known is not FIELDS else "; `finscribe schema --markdown` lists all fields"
    return f"; did you mean {' or '.join(nearest)}?{more}" if nearest else more
