"""The edit distance of ordered labelled trees in which deleting or inserting a node costs 1: exact, and vectorised.

The algorithm is Zhang and Shasha's (SIAM J. Comput. 18, 1989), with a row of its tables computed at once, and three
shortcuts that leave the distance as it is for any rename costs in [0, 1] that are 0 between equal nodes:

- *Equal trees at the ends* of two forests are dropped. Be T the first tree of both. In any mapping a node x right of T
  that is mapped into T, to t, starts a chain: whatever t itself is mapped to lies left of t, and so on, until a node of
  T is deleted. Charging x to that deletion, and likewise for insertions, maps T to itself at no more cost.
- *Equal roots* of two single trees are dropped: a mapping that leaves a root out, or maps it elsewhere, pays at least
  1 for the other root, and 1 is what the node costs that gives its place up.
- *Forests of the same shape* are compared position by position where that costs no more than 2: the only mapping
  without deletions is the one by position, and any other deletes a node and inserts one. For the same reason, where it
  costs no more than 1 above the sum of what each node of one forest costs at least: a node that is deleted saves at
  most 1 of that sum, and costs 2 with the one that is inserted.

Rows of leaves, of which tables are made, are compared all with all in one sweep of a Levenshtein table's diagonals.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

LIMIT = 20_000_000
"""Steps of work, of 10 to 100 ns, beyond which a distance is bounded rather than computed: 4,000 nodes that differ
against as many, in a second or two."""
CALL = 1_000
"""Steps that a row of a table costs beside its elements."""
CHARACTERS = 20
"""Characters of a text that are compared in a step with up to 64 of another."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Node(NamedTuple):
    """A labelled node. Renaming costs 1 where labels differ, else the Levenshtein distance of the texts, normalised."""

    label: Hashable
    text: str | tuple[str, ...]  # characters, or tokens of any length
    children: tuple[Node, ...]


def distance(one: Sequence[Node], other: Sequence[Node], limit: float = LIMIT) -> tuple[float, bool]:
    """Return the edit distance of two forests, and whether it is exact: if not, the distance is that or less."""
    one, other = _without_what_is_shared(one, other)
    if not one or not other:
        return float(_size(one) + _size(other)), True
    a, b = _Forest(one), _Forest(other)
    if a.first == b.first and sum(map(_reading, a.nodes, b.nodes)) <= limit:
        by_position = 0.0
        for left, right in zip(a.nodes, b.nodes, strict=True):
            by_position += _rename(left, right)
            if by_position > 2:
                break
        else:
            return by_position, True
    if _work(a, b, limit) > limit:
        return _bound(one, other, limit), False
    renames = _renames(a.nodes, b.nodes)
    if a.first == b.first:
        by_position = float(renames.trace())
        if by_position <= 1 + max(renames.min(axis=0).sum(), renames.min(axis=1).sum()):
            return by_position, True
    return float(len(a.nodes) + len(b.nodes) - _Savings(a, b, renames).of_forests()), True


def _rename(one: Node, other: Node) -> float:
    if one.label != other.label:
        return 1.0
    return float(Levenshtein.normalized_distance(one.text, other.text)) if one.text != other.text else 0.0


def _reading(one: Node, other: Node) -> float:
    """Return the steps of comparing two texts."""
    return (len(one.text) // 64 + 1) * len(other.text) / CHARACTERS


def _size(forest: Sequence[Node]) -> int:
    size, nodes = 0, list(forest)
    while nodes:
        nodes += nodes.pop().children
        size += 1
    return size


def _without_what_is_shared(one: Sequence[Node], other: Sequence[Node]) -> tuple[Sequence[Node], Sequence[Node]]:
    while True:
        start, end = 0, min(len(one), len(other))
        while start < end and one[start] == other[start]:
            start += 1
        shared = 0
        while shared < end - start and one[-1 - shared] == other[-1 - shared]:
            shared += 1
        one, other = one[start : len(one) - shared], other[start : len(other) - shared]
        if not (len(one) == len(other) == 1 and one[0][:2] == other[0][:2]):
            return one, other
        one, other = one[0].children, other[0].children


def _bound(one: Sequence[Node], other: Sequence[Node], limit: float) -> float:
    """Return a distance that is never too small, of forests cut in two until both halves can be computed.

    Of a forest and a single tree, the largest tree and that one become each other.
    """
    apart = 0.0
    while one and other and min(len(one), len(other)) == 1:
        root, rest = max(one, key=lambda node: _size([node])), max(other, key=lambda node: _size([node]))
        apart += _size(one) - _size([root]) + _size(other) - _size([rest])
        apart += _rename(root, rest) if _reading(root, rest) <= limit else 1.0
        one, other = root.children, rest.children
    if not one or not other or limit < CALL:
        return apart + _size(one) + _size(other)
    middle, other_middle = len(one) // 2, len(other) // 2
    return (
        apart
        + distance(one[:middle], other[:other_middle], limit / 2)[0]
        + distance(one[middle:], other[other_middle:], limit / 2)[0]
    )


class _Rows(NamedTuple):
    """Nodes that have leaves only, the same number each."""

    roots: Integers
    leaves: Integers  # width × rows


class _Forest:
    """Nodes in postorder."""

    def __init__(self, trees: Sequence[Node]) -> None:
        self.nodes: list[Node] = []
        self.first: list[int] = []  # for each node, the first node of its subtree
        rows: dict[int, list[int]] = {}
        for tree in trees:
            self._add(tree, rows)
        self.rows = {
            width: _Rows(np.array(roots), np.array(roots) - np.arange(width, 0, -1)[:, None])
            for width, roots in rows.items()
        }

    def _add(self, node: Node, rows: dict[int, list[int]]) -> None:
        start = len(self.nodes)
        for child in node.children:
            self._add(child, rows)
        place = len(self.nodes)
        self.nodes.append(node)
        self.first.append(start)
        if node.children and len(node.children) == place - start:
            rows.setdefault(place - start, []).append(place)

    def high_roots(self) -> list[int]:
        """Return the last node of each that starts where others start, leaves and rows left out."""
        last = {start: place for place, start in enumerate(self.first)}
        rows = {root for rows in self.rows.values() for root in rows.roots.tolist()}
        return sorted(place for start, place in last.items() if start != place and place not in rows)


def _work(a: _Forest, b: _Forest, limit: float) -> float:
    """Return about how long the distance takes, in steps; what is beyond the limit anyway is not looked into."""
    texts, others = {node.text for node in a.nodes}, {node.text for node in b.nodes}
    work = sum(len(text) // 64 + 1 for text in texts) * sum(map(len, others)) / CHARACTERS
    work += len(a.nodes) * len(b.nodes) + CALL * min(len(a.nodes), len(b.nodes))
    if work > limit:
        return work
    work += CALL * sum(width + other for width, other in product(a.rows, b.rows))
    roots = []
    for forest, opposite in ((a, b), (b, a)):
        roots.append(np.array([root - forest.first[root] + 1.0 for root in forest.high_roots()]))
        work += len(opposite.nodes) * float(roots[-1].sum()) + CALL * len(roots[-1]) * sum(opposite.rows)
    return work + float((np.outer(*roots) + CALL * np.minimum.outer(*roots)).sum())


class _Savings:
    """What mapping a tree to another saves beside deleting the one and inserting the other, for all trees of forests.

    So two nodes save 2 less the cost of renaming, and the distance is the nodes of both less the most that is saved.
    """

    def __init__(self, a: _Forest, b: _Forest, renames: Floats) -> None:
        self.a, self.b = a, b
        self.first_a, self.first_b = np.array(a.first), np.array(b.first)
        self.nodes = 2.0 - renames
        self.trees = self.nodes.copy()  # right for leaf and leaf
        _leaves_and_trees(self.first_a, self.first_b, self.trees, self.nodes)
        _leaves_and_trees(self.first_b, self.first_a, self.trees.T, self.nodes.T)
        for mine, others in product(a.rows.values(), b.rows.values()):
            self._rows_and_rows(mine, others)

    def of_forests(self) -> float:
        """Return what the forests save, from what trees within them do."""
        high_a, high_b = self.a.high_roots(), self.b.high_roots()
        for root, rows in product(high_b, self.a.rows.values()):
            _rows_and_tree(rows, root, self.first_b, self.trees, self.nodes)
        for root, rows in product(high_a, self.b.rows.values()):
            _rows_and_tree(rows, root, self.first_a, self.trees.T, self.nodes.T)
        for root, other in product(high_a, high_b):
            start, other_start = self.a.first[root], self.b.first[other]
            mine, others = slice(start, root + 1), slice(other_start, other + 1)
            _table(
                self.first_a[mine] - start,
                self.first_b[others] - other_start,
                self.trees[mine, others],
                self.nodes[mine, others],
            )
        return _table(self.first_a, self.first_b, self.trees, None)

    def _rows_and_rows(self, mine: _Rows, others: _Rows) -> None:
        """Set what rows of two widths save: their leaves are aligned, or a root becomes a leaf of the other."""
        places = np.ix_(mine.roots, others.roots)
        found = _alignments(self.nodes, mine.leaves, others.leaves) + self.nodes[places]
        if self.nodes[places].min() < 2:
            down = np.array([self.nodes[row][:, others.roots].max(axis=0) for row in mine.leaves.T])
            up = np.array([self.nodes[mine.roots][:, row].max(axis=1) for row in others.leaves.T]).T
            np.maximum(found, np.maximum(down, up), out=found)
        self.trees[places] = found


def _renames(mine: list[Node], others: list[Node]) -> Floats:
    labels: dict[Hashable, int] = {}
    texts: list[dict[str | tuple[str, ...], int]] = [{}, {}]
    label_of, text_of = [], []
    for nodes, known in zip((mine, others), texts, strict=True):
        label_of.append(np.array([labels.setdefault(node.label, len(labels)) for node in nodes]))
        text_of.append(np.array([known.setdefault(node.text, len(known)) for node in nodes]))
    apart = cdist(list(texts[0]), list(texts[1]), scorer=Levenshtein.normalized_distance, dtype=np.float64)
    renames: Floats = apart.take(text_of[0], axis=0).take(text_of[1], axis=1)
    return np.maximum(renames, label_of[0][:, None] != label_of[1], out=renames)


def _leaves_and_trees(first: Integers, other_first: Integers, trees: Floats, nodes: Floats) -> None:
    """Set what a leaf and a tree save: the most that the leaf and any of the tree's nodes do."""
    leaves = np.flatnonzero(first == np.arange(len(first)))
    roots = np.flatnonzero(other_first != np.arange(len(other_first)))
    if len(roots):
        bounds = np.stack([other_first[roots], roots + 1], axis=1).ravel()
        padded = np.zeros((len(leaves), len(other_first) + 1))  # a place more, for a tree that ends where the nodes do
        padded[:, :-1] = nodes[leaves]
        trees[leaves[:, None], roots] = np.maximum.reduceat(padded, bounds, axis=1)[:, ::2]


def _alignments(nodes: Floats, leaves: Integers, other_leaves: Integers) -> Floats:
    """Return what aligning each row of leaves with each of the others saves.

    Leaves are width × rows. Cell i of diagonal d is of the first i leaves and the first d - i others.
    """
    (width, rows), (other_width, other_rows) = leaves.shape, other_leaves.shape
    saved = nodes.take(leaves.ravel(), axis=0).take(other_leaves.ravel(), axis=1)
    saved = saved.reshape(width, rows, other_width, other_rows).swapaxes(1, 2)
    older, old, new = np.zeros((3, width + 1, rows, other_rows))
    for diagonal in range(2, width + other_width + 1):
        low, high = max(1, diagonal - other_width), min(width, diagonal - 1)
        places = np.arange(low - 1, high)
        mapped = saved[places, diagonal - 2 - places]
        mapped += older[low - 1 : high]
        np.maximum(old[low - 1 : high], old[low : high + 1], out=new[low : high + 1])
        np.maximum(new[low : high + 1], mapped, out=new[low : high + 1])
        older, old, new = old, new, older
    return old[width]


def _rows_and_tree(rows: _Rows, root: int, other_first: Integers, trees: Floats, nodes: Floats) -> None:
    """Set what rows of one width save with a tree and those that start where it does: all rows at once."""
    start = int(other_first[root])
    tree = slice(start, root + 1)
    first = other_first[tree] - start
    on_path = np.flatnonzero(first == 0)
    table = np.zeros((len(rows.roots), len(first) + 1))
    for leaves in rows.leaves:
        mapped = table.take(first, axis=1)
        mapped += trees[leaves, tree]
        np.maximum(table[:, 1:], mapped, out=table[:, 1:])
        np.maximum.accumulate(table, axis=1, out=table)
    mapped = trees[rows.roots, tree]
    mapped[:, on_path] = table[:, on_path] + nodes[rows.roots[:, None], start + on_path]
    np.maximum(table[:, 1:], mapped, out=table[:, 1:])
    np.maximum.accumulate(table, axis=1, out=table)
    trees[rows.roots[:, None], start + on_path] = table[:, on_path + 1]


def _table(first: Integers, other_first: Integers, trees: Floats, nodes: Floats | None) -> float:
    """Return what two forests save, from what all trees in them do.

    With ``nodes`` both are single trees, and what those save that start where they do is found here, and written into
    ``trees``.
    """
    if len(first) > len(other_first):
        return _table(other_first, first, trees.T, None if nodes is None else nodes.T)
    table = np.zeros((len(first) + 1, len(other_first) + 1))
    on_path = np.flatnonzero(other_first == 0)
    for place, start in enumerate(first.tolist()):
        before, now = table[place], table[place + 1]
        mapped = table[start].take(other_first)
        mapped += trees[place]
        if nodes is not None and start == 0:
            mapped[on_path] = before[on_path] + nodes[place, on_path]
        np.maximum(before[1:], mapped, out=now[1:])
        np.maximum.accumulate(now, out=now)
        if nodes is not None and start == 0:
            trees[place, on_path] = now[on_path + 1]
    return float(table[-1, -1])
