import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.inference import doclayout
from finscribe_assets.inference.box_overlay import draw_boxes
from finscribe_assets.inference.doclayout import DocLayout, regions_from_paddlex
from finscribe_assets.inference.region_layout import DetectedLines, Region, RegionType, group_into_rows
from finscribe_assets.rendering.pages import Box, MarkType

sides = st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(1, 200), st.integers(1, 60))
boxes = st.builds(lambda box: Box(box[0], box[1], box[0] + box[2], box[1] + box[3]), sides)


@given(st.lists(boxes, max_size=20))
def test_rows_hold_each_box_once_from_the_top_down(page_boxes):
    rows = group_into_rows(page_boxes)
    assert sorted(box for row in rows for box in row) == sorted(page_boxes)
    middles = [min((box.y0 + box.y1) / 2 for box in row) for row in rows]
    assert middles == sorted(middles)
    assert all(row == sorted(row) for row in rows)


def test_a_slightly_lower_box_is_in_the_same_row_and_a_box_below_is_not():
    left, right, below = Box(0, 10, 90, 30), Box(200, 14, 290, 33), Box(0, 32, 90, 52)
    assert group_into_rows([below, right, left]) == [[left, right], [below]]


def test_the_detector_finds_the_lines_of_a_clean_page_but_no_fields(batch):
    document = next(document for document in batch.rendered if document.pages[0].height > 1500)
    regions = DetectedLines().regions(document)
    assert {region.path for region in regions} == {""}
    detected = [box for region in regions for page, box in region.lines if page == 0]
    fields = [
        part.box
        for mark in document.of_type(MarkType.FIELD)
        for part in mark.fragments
        if part.page == 0 and part.visible
    ]
    middles = [((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in fields]
    covered = sum(any(box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1 for box in detected) for x, y in middles)
    assert covered >= 0.9 * len(middles)
    assert all(0 <= box.x0 < box.x1 <= document.pages[0].width for box in detected)


def test_paddlex_blocks_become_regions_except_pictures():
    page = [
        {"label": "text", "score": 0.9, "coordinate": [1, 2, 3.5, 4]},
        {"label": "image", "score": 0.9, "coordinate": [1, 2, 3, 4]},
        {"label": "table", "score": 0.8, "coordinate": [5, 6, 7, 8]},
    ]
    assert regions_from_paddlex([[], page]) == [
        Region("", ((1, Box(1, 2, 3.5, 4)),), RegionType.TEXT),
        Region("", ((1, Box(5, 6, 7, 8)),), RegionType.TABLE),
    ]


def test_blocks_need_paddlex(monkeypatch):
    monkeypatch.setattr(doclayout, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="blocks need PaddleX, which is not installed"):
        DocLayout()


def test_blocks_are_found_in_another_process_and_its_failures_are_shown(batch, tmp_path, monkeypatch):
    """The package `paddlex` here is a stand-in with PaddleX's interface."""
    (tmp_path / "paddlex.py").write_text(
        "import sys\n"
        "def create_model(name):\n"
        "    assert name == 'PP-DocLayoutV2'\n"
        "    class Model:\n"
        "        def predict(self, file):\n"
        "            print('loading', file)\n"
        "            yield {'boxes': [{'cls_id': 2, 'label': 'text', 'score': 0.9, 'coordinate': [1, 2, 30, 40]}]}\n"
        "    return Model()\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(sys.path)}")
    monkeypatch.syspath_prepend(str(tmp_path))
    document = batch.rendered[0]
    regions = DocLayout().regions(document)
    assert regions == [Region("", ((index, Box(1, 2, 30, 40)),)) for index in range(len(document.pages))]
    (tmp_path / "paddlex.py").write_text("raise RuntimeError('no model here')")
    with pytest.raises(ValueError, match="no model here"):
        DocLayout().regions(document)
    (tmp_path / "paddlex.py").write_text("import time\ntime.sleep(60)")
    monkeypatch.setattr(doclayout, "DOCLAYOUT_TIMEOUT_SECONDS", 0.1)
    with pytest.raises(ValueError, match=f"took more than 0.1 seconds on {document.id}; read fewer pages at once"):
        DocLayout().regions(document)


def test_boxes_are_drawn_with_their_numbers_above(batch):
    page = batch.rendered[0].pages[0].open()
    drawn = draw_boxes(page, [(1, Box(50, 60, 150, 90))])
    changed = np.argwhere((np.asarray(drawn) != np.asarray(page.convert("RGB"))).any(axis=-1))
    assert drawn.size == page.size
    assert changed[:, 0].max() == 90
    assert changed[:, 1].max() == 150
    assert changed[:, 0].min() < 60, "the number is above the box"
