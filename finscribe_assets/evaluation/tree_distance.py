"""The edit distance of ordered labelled trees whose nodes cost 1 to delete or insert: exact, and vectorised.

The algorithm is that of Zhang and Shasha (SIAM J. Comput. 18, 1989), with each row of its tables computed at once, and
with three shortcuts. They leave the distance unchanged for all rename costs in [0, 1] that are 0 between equal nodes.

1. *Equal trees at the ends* of two forests are dropped. Let T be the first tree of both, and let a mapping take a node
   x right of T to a node t of T. Then the same node t of the first forest is mapped to a node left of t, and so on,
   until a node of T is deleted. Charging x to that deletion, and likewise for insertions, gives a mapping that takes T
   to itself and costs no more.
2. *Equal roots* of two single trees are dropped. A mapping that deletes a root, or maps it elsewhere, pays at least 1
   for the other root; mapping the roots to each other costs at most 1 for the node that was mapped to.
3. *Forests of the same shape* are compared position by position if that costs at most 2. The mapping by position is the
   only one without deletions; every other one deletes a node and inserts one, which costs 2. For the same reason, the
   mapping by position is also optimal if it costs at most 1 more than the sum of the cheapest renames of all nodes: a
   deleted node saves at most 1 of that sum, and costs 2 together with the node that is inserted.

Rows of leaves, of which tables consist, are all compared with each other in one sweep over the diagonals of a
Levenshtein table.

Terms in this module: *postorder* indices number the nodes of a forest, children before parents. The *first* node of a
subtree is its leftmost leaf. What a mapping *saves* is the difference to deleting all nodes of one forest and inserting
all nodes of the other, so that the distance is the number of nodes of both minus the largest saving.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

WORK_LIMIT = 20_000_000
"""Steps of 10 to 100 ns beyond which a distance is bounded instead of computed: about 4,000 nodes that differ, against
as many, in a second or two."""
CALL_STEPS = 1_000  # steps that a row of a table costs in addition to its elements
CHARACTERS_PER_STEP = 20  # of one text that a step compares with up to 64 characters of another

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class TreeNode(NamedTuple):
    """A labelled node. Renaming costs 1 if labels differ, else the normalised Levenshtein distance of the texts.

    Attributes:
        label: what the node is.
        text: characters, or tokens of any length.
        children: in order.
    """

    label: Hashable
    text: str | tuple[str, ...]
    children: tuple[TreeNode, ...]


def tree_distance(one: Sequence[TreeNode], other: Sequence[TreeNode], limit: float = WORK_LIMIT) -> tuple[float, bool]:
    """Return the edit distance of two forests, and whether it is exact.

    Args:
        one: trees in order.
        other: trees in order.
        limit: steps of work beyond which the distance is bounded from above.

    Returns:
        The distance, or an upper bound of it if it is not exact.
    """
    one, other = _without_shared_parts(one, other)
    if not one or not other:
        return float(_size(one) + _size(other)), True
    a, b = _Forest(one), _Forest(other)
    if a.first == b.first and sum(map(_comparison_steps, a.nodes, b.nodes)) <= limit:
        by_position = 0.0
        for left, right in zip(a.nodes, b.nodes, strict=True):
            by_position += _rename_cost(left, right)
            if by_position > 2:
                break
        else:
            return by_position, True
    if _work(a, b, limit) > limit:
        return _upper_bound(one, other, limit), False
    renames = _rename_costs(a.nodes, b.nodes)
    if a.first == b.first:
        by_position = float(renames.trace())
        if by_position <= 1 + max(renames.min(axis=0).sum(), renames.min(axis=1).sum()):
            return by_position, True
    return float(len(a.nodes) + len(b.nodes) - _Savings(a, b, renames).of_forests()), True


def _rename_cost(one: TreeNode, other: TreeNode) -> float:
    if one.label != other.label:
        return 1.0
    return float(Levenshtein.normalized_distance(one.text, other.text)) if one.text != other.text else 0.0


def _comparison_steps(one: TreeNode, other: TreeNode) -> float:
    return (len(one.text) // 64 + 1) * len(other.text) / CHARACTERS_PER_STEP


def _size(forest: Sequence[TreeNode]) -> int:
    """Return the number of nodes, without recursion."""
    size, nodes = 0, list(forest)
    while nodes:
        nodes += nodes.pop().children
        size += 1
    return size


def _without_shared_parts(
    one: Sequence[TreeNode], other: Sequence[TreeNode]
) -> tuple[Sequence[TreeNode], Sequence[TreeNode]]:
    """Drop equal trees at both ends and equal roots of single trees, as often as possible."""
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


def _upper_bound(one: Sequence[TreeNode], other: Sequence[TreeNode], limit: float) -> float:
    """Return an upper bound of the distance; halve the forests until both halves can be computed.

    If one of the forests is a single tree, it is mapped to the largest tree of the other.
    """
    distance = 0.0
    while one and other and min(len(one), len(other)) == 1:
        root, other_root = (max(forest, key=lambda node: _size([node])) for forest in (one, other))
        distance += _size(one) - _size([root]) + _size(other) - _size([other_root])
        distance += _rename_cost(root, other_root) if _comparison_steps(root, other_root) <= limit else 1.0
        one, other = root.children, other_root.children
    if not one or not other or limit < CALL_STEPS:
        return distance + _size(one) + _size(other)
    middle, other_middle = len(one) // 2, len(other) // 2
    return (
        distance
        + tree_distance(one[:middle], other[:other_middle], limit / 2)[0]
        + tree_distance(one[middle:], other[other_middle:], limit / 2)[0]
    )


class _Rows(NamedTuple):
    """The nodes of a forest whose children are leaves, all with the same number of children.

    Attributes:
        roots: postorder indices, (rows,).
        leaves: postorder indices of their children, (width, rows).
    """

    roots: Integers
    leaves: Integers


class _Forest:
    """The nodes of a forest in postorder.

    Attributes:
        nodes: in postorder.
        first: for each node, the index of the first node of its subtree.
        rows: the nodes whose children are leaves, by number of children.
    """

    def __init__(self, trees: Sequence[TreeNode]) -> None:
        self.nodes: list[TreeNode] = []
        self.first: list[int] = []
        roots_by_width: dict[int, list[int]] = {}
        for tree in trees:
            self._add(tree, roots_by_width)
        self.rows = {
            width: _Rows(np.array(roots), np.array(roots) - np.arange(width, 0, -1)[:, None])
            for width, roots in roots_by_width.items()
        }

    def _add(self, node: TreeNode, roots_by_width: dict[int, list[int]]) -> None:
        start = len(self.nodes)
        for child in node.children:
            self._add(child, roots_by_width)
        index = len(self.nodes)
        self.nodes.append(node)
        self.first.append(start)
        if node.children and len(node.children) == index - start:
            roots_by_width.setdefault(index - start, []).append(index)

    def key_roots(self) -> list[int]:
        """Return the key roots of Zhang and Shasha: the last node for each first node, without leaves and rows."""
        last = {start: index for index, start in enumerate(self.first)}
        row_roots = {root for rows in self.rows.values() for root in rows.roots.tolist()}
        return sorted(index for start, index in last.items() if start != index and index not in row_roots)


def _work(a: _Forest, b: _Forest, limit: float) -> float:
    """Estimate the steps that the distance takes; stop estimating beyond the limit."""
    texts, others = {node.text for node in a.nodes}, {node.text for node in b.nodes}
    work = sum(len(text) // 64 + 1 for text in texts) * sum(map(len, others)) / CHARACTERS_PER_STEP
    work += len(a.nodes) * len(b.nodes) + CALL_STEPS * min(len(a.nodes), len(b.nodes))
    if work > limit:
        return work
    work += CALL_STEPS * sum(width + other for width, other in product(a.rows, b.rows))
    sizes = []
    for forest, opposite in ((a, b), (b, a)):
        sizes.append(np.array([root - forest.first[root] + 1.0 for root in forest.key_roots()]))
        work += len(opposite.nodes) * float(sizes[-1].sum()) + CALL_STEPS * len(sizes[-1]) * sum(opposite.rows)
    return work + float((np.outer(*sizes) + CALL_STEPS * np.minimum.outer(*sizes)).sum())


class _Savings:
    """What mapping each subtree of one forest to each subtree of another saves.

    Attributes:
        nodes: what mapping two nodes saves, 2 minus their rename cost, (nodes of a, nodes of b).
        trees: what mapping two subtrees saves, (nodes of a, nodes of b); filled step by step.
    """

    def __init__(self, a: _Forest, b: _Forest, renames: Floats) -> None:
        self.a, self.b = a, b
        self.first_a, self.first_b = np.array(a.first), np.array(b.first)
        self.nodes = 2.0 - renames
        self.trees = self.nodes.copy()  # correct for two leaves
        _set_leaves_and_trees(self.first_a, self.first_b, self.trees, self.nodes)
        _set_leaves_and_trees(self.first_b, self.first_a, self.trees.T, self.nodes.T)
        for rows, other_rows in product(a.rows.values(), b.rows.values()):
            self._set_rows_and_rows(rows, other_rows)

    def of_forests(self) -> float:
        """Compute what the forests save from what their subtrees save."""
        roots_a, roots_b = self.a.key_roots(), self.b.key_roots()
        for root, rows in product(roots_b, self.a.rows.values()):
            _set_rows_and_tree(rows, root, self.first_b, self.trees, self.nodes)
        for root, rows in product(roots_a, self.b.rows.values()):
            _set_rows_and_tree(rows, root, self.first_a, self.trees.T, self.nodes.T)
        for root, other_root in product(roots_a, roots_b):
            start, other_start = self.a.first[root], self.b.first[other_root]
            tree, other_tree = slice(start, root + 1), slice(other_start, other_root + 1)
            _fill_table(
                self.first_a[tree] - start,
                self.first_b[other_tree] - other_start,
                self.trees[tree, other_tree],
                self.nodes[tree, other_tree],
            )
        return _fill_table(self.first_a, self.first_b, self.trees, None)

    def _set_rows_and_rows(self, rows: _Rows, others: _Rows) -> None:
        """Set what rows of two widths save: their leaves are aligned, or one root becomes a leaf of the other."""
        pairs = np.ix_(rows.roots, others.roots)
        saved = _aligned_leaves(self.nodes, rows.leaves, others.leaves) + self.nodes[pairs]
        if self.nodes[pairs].min() < 2:
            down = np.array([self.nodes[leaves][:, others.roots].max(axis=0) for leaves in rows.leaves.T])
            up = np.array([self.nodes[rows.roots][:, leaves].max(axis=1) for leaves in others.leaves.T]).T
            np.maximum(saved, np.maximum(down, up), out=saved)
        self.trees[pairs] = saved


def _rename_costs(nodes: list[TreeNode], others: list[TreeNode]) -> Floats:
    """Return the cost of renaming each node to each other node; repeated texts are compared once."""
    labels: dict[Hashable, int] = {}
    texts: list[dict[str | tuple[str, ...], int]] = [{}, {}]
    label_of, text_of = [], []
    for forest, known in zip((nodes, others), texts, strict=True):
        label_of.append(np.array([labels.setdefault(node.label, len(labels)) for node in forest]))
        text_of.append(np.array([known.setdefault(node.text, len(known)) for node in forest]))
    distances = cdist(list(texts[0]), list(texts[1]), scorer=Levenshtein.normalized_distance, dtype=np.float64)
    costs: Floats = distances.take(text_of[0], axis=0).take(text_of[1], axis=1)
    return np.maximum(costs, label_of[0][:, None] != label_of[1], out=costs)


def _set_leaves_and_trees(first: Integers, other_first: Integers, trees: Floats, nodes: Floats) -> None:
    """Set what a leaf and a tree save: the largest saving of the leaf and any node of the tree."""
    leaves = np.flatnonzero(first == np.arange(len(first)))
    roots = np.flatnonzero(other_first != np.arange(len(other_first)))
    if len(roots):
        bounds = np.stack([other_first[roots], roots + 1], axis=1).ravel()
        padded = np.zeros((len(leaves), len(other_first) + 1))  # one more, for a tree that ends with the last node
        padded[:, :-1] = nodes[leaves]
        trees[leaves[:, None], roots] = np.maximum.reduceat(padded, bounds, axis=1)[:, ::2]


def _aligned_leaves(nodes: Floats, leaves: Integers, other_leaves: Integers) -> Floats:
    """Return what aligning the leaves of each row with those of each other row saves.

    The table of an alignment is swept by diagonals, for all pairs of rows at once. Cell i of diagonal d covers the
    first i leaves and the first d - i other leaves.

    Args:
        nodes: what two nodes save.
        leaves: (width, rows).
        other_leaves: (other width, other rows).

    Returns:
        Savings, (rows, other rows).
    """
    (width, rows), (other_width, other_rows) = leaves.shape, other_leaves.shape
    saved = nodes.take(leaves.ravel(), axis=0).take(other_leaves.ravel(), axis=1)
    saved = saved.reshape(width, rows, other_width, other_rows).swapaxes(1, 2)  # (width, other width, rows, other rows)
    two_before, before, current = np.zeros((3, width + 1, rows, other_rows))
    for diagonal in range(2, width + other_width + 1):
        low, high = max(1, diagonal - other_width), min(width, diagonal - 1)
        cells = np.arange(low - 1, high)
        mapped = saved[cells, diagonal - 2 - cells]
        mapped += two_before[low - 1 : high]
        np.maximum(before[low - 1 : high], before[low : high + 1], out=current[low : high + 1])
        np.maximum(current[low : high + 1], mapped, out=current[low : high + 1])
        two_before, before, current = before, current, two_before
    return before[width]


def _set_rows_and_tree(rows: _Rows, root: int, other_first: Integers, trees: Floats, nodes: Floats) -> None:
    """Set what the rows of one width save with a tree, and with the subtrees that start where it does."""
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


def _fill_table(first: Integers, other_first: Integers, trees: Floats, nodes: Floats | None) -> float:
    """Return what two forests save, from what the subtrees within them save.

    Args:
        first: of the forest's nodes, relative to its first node.
        other_first: of the other forest's nodes.
        trees: what two subtrees save.
        nodes: what two nodes save, if both forests are single trees. Then what the subtrees save that start where the
            trees do is computed, and written into ``trees``.
    """
    if len(first) > len(other_first):
        return _fill_table(other_first, first, trees.T, None if nodes is None else nodes.T)
    table = np.zeros((len(first) + 1, len(other_first) + 1))
    on_path = np.flatnonzero(other_first == 0)
    for index, start in enumerate(first.tolist()):
        before, current = table[index], table[index + 1]
        mapped = table[start].take(other_first)
        mapped += trees[index]
        if nodes is not None and start == 0:
            mapped[on_path] = before[on_path] + nodes[index, on_path]
        np.maximum(before[1:], mapped, out=current[1:])
        np.maximum.accumulate(current, out=current)
        if nodes is not None and start == 0:
            trees[index, on_path] = current[on_path + 1]
    return float(table[-1, -1])
