"""TEDS as the script published with PubTabNet computes it, with plain `apted`: the reference for our own."""

from __future__ import annotations

from apted import APTED, Config
from lxml import html


class Tree:
    """A node: for a cell its spans and its content as tokens, for others only the tag."""

    def __init__(self, tag, colspan=None, rowspan=None, content=None):
        self.tag, self.colspan, self.rowspan, self.content, self.children = tag, colspan, rowspan, content, []


class Costs(Config):
    """A rename's cost; deleting and inserting cost 1."""

    def __init__(self, levenshtein):
        self.levenshtein = levenshtein

    def rename(self, one, other):
        if (one.tag, one.colspan, one.rowspan) != (other.tag, other.colspan, other.rowspan):
            return 1.0
        if one.tag == "td" and (one.content or other.content):
            return self.levenshtein(one.content, other.content) / max(len(one.content), len(other.content))
        return 0.0


def levenshtein(one, other):
    """Return the Levenshtein distance of two sequences."""
    row = list(range(len(other) + 1))
    for i, x in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def tokens(node):
    """Return a cell's content and its own tags, tag by tag and character by character."""
    found = [f"<{node.tag}>", *(node.text or "")]
    for child in node.getchildren():
        found += tokens(child)
    if node.tag != "unk":
        found.append(f"</{node.tag}>")
    if node.tag != "td":
        found += list(node.tail or "")
    return found


def tree_of(node, structure_only):
    """Return the tree below an element; cells are leaves."""
    if node.tag == "td":
        content = [] if structure_only else tokens(node)[1:-1]
        return Tree("td", int(node.attrib.get("colspan", "1")), int(node.attrib.get("rowspan", "1")), content)
    tree = Tree(node.tag)
    tree.children = [tree_of(child, structure_only) for child in node.getchildren()]
    return tree


def reference_teds(predicted, true, structure_only=False, levenshtein=levenshtein):
    """Return the script's score; it raises ZeroDivisionError, ValueError or lxml's errors where it fails."""
    if not predicted or not true:
        return 0.0
    parser = html.HTMLParser(remove_comments=True, encoding="utf-8")
    found = [html.fromstring(text, parser=parser).xpath("body/table") for text in (predicted, true)]
    if not all(found):
        return 0.0
    tables = [tables[0] for tables in found]
    nodes = max(len(table.xpath(".//*")) for table in tables)
    apart = APTED(*(tree_of(table, structure_only) for table in tables), Costs(levenshtein)).compute_edit_distance()
    return 1.0 - float(apart) / nodes
