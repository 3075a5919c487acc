"""How fast TEDS is beside plain apted, the way of the script that came with PubTabNet, and table-recognition-metric.

Tables are of invoice lines; predictions have wrong cells here and there, a missing row, an extra column, or nothing
right. All ways score the same pairs, one pair after the other, in CPU seconds. Levenshtein distances of cells are
rapidfuzz's in plain apted too, so that the trees alone make the difference; `distance`, which the script uses, is written
in Python and much slower.

`table-recognition-metric` (MIT-like: Apache-2.0) divides by all nodes of the larger tree, the table among them, and not
those in cells; so its distance is compared, not its score. It need not be installed.

    pip install table-recognition-metric
    python benchmarks/teds.py
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from rapidfuzz.distance import Levenshtein

from finscribe_assets.evaluation.fields import compare
from finscribe_assets.evaluation.measures import table_similarity
from finscribe_assets.evaluation.teds import similarity, to_html
from finscribe_assets_tests.evaluation.pubtabnet import reference_teds
