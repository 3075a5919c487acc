"""One name, one thing: a newcomer who reads a name knows which module or class it means."""

import ast
from collections import defaultdict
from pathlib import Path

import finscribe_assets

PACKAGE = Path(finscribe_assets.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def repeated(names_of):
    places = defaultdict(list)
    for module in MODULES:
        for name in names_of(module):
            places[name].append(str(module.relative_to(PACKAGE)))
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_two_modules_have_the_same_file_name():
    assert repeated(lambda module: [] if module.name == "__init__.py" else [module.name]) == {}


def test_no_two_classes_have_the_same_name():
    def classes(module):
        return [node.name for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ClassDef)]

    assert repeated(classes) == {}


def test_no_two_modules_define_the_same_public_constant():
    def constants(module):
        for node in ast.parse(module.read_text()).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in (part for one in targets for part in getattr(one, "elts", [one])):
                name = getattr(target, "id", "_")
                if name.isupper() and not name.startswith("_"):
                    yield name

    assert repeated(constants) == {}
