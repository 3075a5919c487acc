"""Prompts and responses are right, judged by the boxes, the document and its rules, not by the code that built them."""

import json
from collections import Counter
from functools import cache

import numpy as np
import pytest
from pydantic import ValidationError

from finscribe_assets.documents.calculation_rules import amounts_of_leaves, check_calculations
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.crops import crop, page_cache, pair_images
from finscribe_assets.instructions.pair import ILLEGIBLE, OCR_PROMPT, TABLE_PROMPT, Pair, SpanType, Task
from finscribe_assets.instructions.prompt_wordings import claim_text, held_out_wordings, training_wordings
from finscribe_assets.instructions.task_mix import DEFAULT_MIX, PairRecipe, make_pairs
from finscribe_assets.instructions.visible_values import MIN_X_HEIGHT, VisibleDocument
from finscribe_assets.rendering.pages import Box, MarkType, RenderedDocument
from finscribe_assets.rendering.render import render

EXTRACTION_TASKS = (
    Task.FULL_EXTRACTION,
    Task.SCHEMA_EXTRACTION,
    Task.REGION_EXTRACTION,
    Task.LINE_ITEMS,
    Task.PAGE_EXTRACTION,
    Task.MULTI_PAGE_LINES,
    Task.FIELD_QUESTION,
    Task.ABSENT_FIELD,
)
# Values that are not printed as such; test_page_evidence.py has the tests that the page determines them.
DETERMINED = ("document_type", "currency_code", "tax_name")
DOCUMENTS = 100
FIXED_PROMPT_TASKS = (Task.OCR_LINE, Task.OCR_ROW, Task.OCR_REGION, Task.TABLE)


@cache
def paired_documents() -> list[tuple[DrawnDocument, RenderedDocument, list[Pair]]]:
    """Return documents of the default recipe, damage included, with up to twelve pairs of every task."""
    plan = seed_plan("batch-000", DOCUMENTS, 11)
    recipe = PairRecipe(mix=dict.fromkeys(Task, 12))
    documents = []
    for index in range(DOCUMENTS):
        drawn = draw_document(plan, index)
        rendered = render(drawn)
        documents.append((drawn, rendered, make_pairs(drawn, rendered, recipe)))
    return documents


def pairs_of(*tasks: Task) -> list[tuple[DrawnDocument, RenderedDocument, Pair]]:
    return [
        (drawn, rendered, pair) for drawn, rendered, pairs in paired_documents() for pair in pairs if pair.task in tasks
    ]


def images(rendered: RenderedDocument, pair: Pair) -> list[np.ndarray]:
    return [np.asarray(image) for image in pair_images(pair, page_cache(lambda _, number: rendered.pages[number]))]


def test_the_default_recipe_gives_pairs_of_every_task_with_unique_ids():
    pairs = [pair for _, _, pairs in paired_documents() for pair in pairs]
    assert {pair.task for pair in pairs} == set(Task) == set(DEFAULT_MIX)
    assert len({pair.id for pair in pairs}) == len(pairs)
    counts = [len(make_pairs(drawn, rendered, PairRecipe())) for drawn, rendered, _ in paired_documents()]
    assert min(counts) >= 5


@pytest.mark.parametrize("task", [task for task in Task if task not in FIXED_PROMPT_TASKS])
def test_each_task_has_eight_training_wordings_and_held_out_wordings_for_half_of_the_test_pairs(task):
    training, held_out = training_wordings(task), held_out_wordings(task)
    assert len(set(training)) >= 8
    assert len(set(held_out)) >= 2
    assert not set(training) & set(held_out)
    pairs = [pair for _, _, pair in pairs_of(task)]
    assert all(pair.prompt_for(test=False) == pair.prompt != pair.prompt_held_out for pair in pairs)
    uses_held_out = [pair.prompt_for(test=True) == pair.prompt_held_out for pair in pairs]
    assert 0.15 < np.mean(uses_held_out) < 0.85


@pytest.mark.parametrize("task", FIXED_PROMPT_TASKS)
def test_tasks_of_the_model_use_its_own_prompts_in_every_split(task):
    own = (Task.OCR_LINE, *(other for other in Task if other not in FIXED_PROMPT_TASKS))
    assert not any(pair.prompt in (OCR_PROMPT, TABLE_PROMPT) for _, _, pair in pairs_of(*own[1:]))
    assert task is Task.OCR_LINE or not any(ILLEGIBLE in pair.response for _, _, pair in pairs_of(task))
    prompts = {prompt for _, _, pair in pairs_of(task) for prompt in (pair.prompt_for(test=True), pair.prompt)}
    assert prompts == {"Table Recognition:" if task is Task.TABLE else OCR_PROMPT}


@pytest.mark.parametrize("task", EXTRACTION_TASKS)
def test_a_response_contains_only_values_that_its_image_shows(task):
    """By the boxes: every value of a response is printed inside the pair's pages and box."""
    compared = 0
    for drawn, rendered, pair in pairs_of(task):
        truth = flatten(drawn.document.to_json())
        inside = Counter(
            ILLEGIBLE if not mark.visible else truth[mark.name]
            for mark in rendered.of_type(MarkType.FIELD)
            if all(
                part.page in pair.pages and (pair.box is None or _overlap(part.box, pair.box) > 0.8)
                for part in mark.fragments
            )
        )
        for path, value in flatten(json.loads(pair.response)).items():
            if value is not None and not path.endswith(DETERMINED):
                inside[value] -= 1
                assert inside[value] >= 0, (pair.id, value)
                compared += 1
    assert compared > 20 or task is Task.ABSENT_FIELD


def _overlap(inner: Box, outer: Box) -> float:
    width = min(inner.x1, outer.x1) - max(inner.x0, outer.x0)
    height = min(inner.y1, outer.y1) - max(inner.y0, outer.y0)
    return max(0.0, width) * max(0.0, height) / (inner.width * inner.height)


def test_a_response_has_the_requested_keys_in_their_order():
    absent = illegible = 0
    for drawn, rendered, pair in pairs_of(Task.SCHEMA_EXTRACTION):
        response = json.loads(pair.response)
        positions = [pair.prompt.index(f'"{key}"') for key in response]
        assert positions == sorted(positions)
        truth = flatten(drawn.document.to_json())
        for key, value in response.items():
            absent += value is None
            illegible += value == ILLEGIBLE
            undetermined = key == "currency_code" and value is None
            assert value == ILLEGIBLE or value == truth.get(key) or undetermined
            assert value != ILLEGIBLE or key in VisibleDocument(drawn, rendered).illegible
    assert absent > 10
    assert illegible > 0


def test_spans_cover_the_response_and_mark_each_value_and_amount():
    types: Counter[SpanType] = Counter()
    for _, _, pairs in paired_documents():
        for pair in pairs:
            ends = [0, *(span.end for span in pair.spans)]
            assert [span.start for span in pair.spans] == ends[:-1]
            assert ends[-1] == len(pair.response)
            types.update(span.type for span in pair.spans)
            if pair.task in EXTRACTION_TASKS:
                values = flatten(json.loads(pair.response))
                spanned = {
                    span.path: json.loads(pair.response[span.start : span.end]) for span in pair.spans if span.path
                }
                assert {path: value for path, value in spanned.items() if value is not None} == values
                amounts = {span.path for span in pair.spans if span.type is SpanType.FINANCIAL}
                assert amounts.isdisjoint(path for path in values if path.endswith(("name", "date", "identifier")))
                assert {path for path in values if path.endswith("amount")} <= amounts
    assert min(types[type_] for type_ in SpanType) > 100


def test_claims_are_true_or_false_by_the_amounts_that_the_patched_page_shows():
    """The rules are evaluated on the page's amounts with the patched amount replaced."""
    responses: Counter[bool] = Counter()
    patched: Counter[bool] = Counter()
    for drawn, rendered, pair in pairs_of(Task.ARITHMETIC):
        document = VisibleDocument(drawn, rendered)
        amounts = amounts_of_leaves(document.values_on(pair.pages[0]))
        paths = {part.box: path for path, part in document.single_fragments(pair.pages[0]).items()}
        for patch in pair.patches:
            amounts[paths[patch.target]] = amounts[paths[patch.source]]
        code = pair.id.rpartition("/")[2]
        outcomes = {
            outcome.path: outcome.holds
            for outcome in check_calculations(amounts, drawn.document.currency_code)
            if outcome.code == code
        }
        truth = json.loads(pair.response)["correct"]
        assert outcomes[pair.target] is truth
        assert pair.target.startswith(("lines", "entries")) or all(outcomes.values()) is truth
        responses[truth] += 1
        patched[truth] += bool(pair.patches)
    assert 0.4 < responses[True] / responses.total() < 0.6
    assert patched[False] == responses[False]
    # Pages of true claims have patches too: a patch alone does not reveal the response.
    assert patched[True] > 0.5 * responses[True]


def test_a_patch_copies_the_print_of_another_amount():
    for _, rendered, pair in pairs_of(Task.ARITHMETIC)[::5]:
        for patch in pair.patches:
            page = rendered.pages[patch.page].open()
            (changed,) = images(rendered, pair)
            source = np.asarray(crop(page, patch.source))
            target = changed[int(patch.target.y0) - 3 : int(patch.target.y1) + 4, : int(patch.target.x1) + 4]
            # The darkest pixel row of the source's middle occurs in the target's box, at its right edge.
            source = source[len(source) // 4 : -(len(source) // 4)]
            row = source[source.reshape(len(source), -1).sum(axis=1).argmin()]
            ends = [target[y, -len(row) - shift :][: len(row)] for y in range(len(target)) for shift in range(3)]
            assert any(np.array_equal(row, end) for end in ends), pair.id
            x0 = min(patch.target.x0, patch.target.x1 - patch.source.width)
            outside = np.ones(changed.shape, bool)
            outside[int(patch.target.y0) - 4 : int(patch.target.y1) + 5, int(x0) - 6 : int(patch.target.x1) + 5] = False
            assert np.array_equal(changed[outside], np.asarray(page)[outside])


def test_boxes_are_in_thousandths_of_the_page_and_contain_the_field():
    for drawn, rendered, pair in pairs_of(Task.FIELD_TO_BOX, Task.BOX_TO_FIELD):
        page = rendered.pages[pair.pages[0]]
        (mark,) = [mark for mark in rendered.of_type(MarkType.FIELD) if mark.name == pair.target]
        response = json.loads(pair.response)
        if pair.task is Task.FIELD_TO_BOX:
            box = response["box"]
        else:
            assert response == {"field": pair.target, "value": flatten(drawn.document.to_json())[pair.target]}
            start = pair.prompt.index("[")
            box = json.loads(pair.prompt[start : pair.prompt.index("]") + 1])
        sides = np.array(box) / 1000 * (page.width, page.height, page.width, page.height)
        assert np.abs(sides - mark.fragments[0].box).max() <= 0.0006 * max(page.width, page.height)


def test_the_text_of_a_region_has_all_its_values_and_their_labels():
    labelled = compared = 0
    for drawn, rendered, pair in pairs_of(Task.OCR_REGION):
        lines = pair.response.split("\n")
        assert all(lines)
        squeezed = "".join(pair.response.split())
        inside = (
            mark
            for mark in rendered.of_type(MarkType.FIELD)
            if mark.visible
            and all(part.page in pair.pages and _overlap(part.box, pair.box) > 0.9 for part in mark.fragments)
        )
        values = ["".join(drawn.printed[mark.name].split()) for mark in inside]
        assert all(value in squeezed for value in values), (pair.id, pair.response, values)
        compared += len(values)
        labelled += len(squeezed) > sum(map(len, values))
    assert labelled > 50
    assert compared > 200


def test_a_row_of_a_table_has_its_values_in_their_order():
    compared = 0
    for _, rendered, pair in pairs_of(Task.OCR_ROW):
        squeezed = "".join(pair.response.split())
        inside = [
            "".join(part.text.split())
            for mark in rendered.of_type(MarkType.FIELD)
            for part in mark.fragments
            if part.page in pair.pages and _overlap(part.box, pair.box) > 0.9
        ]
        assert all(text in squeezed for text in inside), (pair.id, pair.response, inside)
        compared += len(inside)
    assert compared > 200


def test_long_documents_are_asked_page_by_page():
    drawn, rendered, _ = next(item for item in paired_documents() if len(item[1].pages) > 1)
    recipe = PairRecipe(max_tokens=1500)
    pairs = make_pairs(drawn, rendered, recipe)
    assert all(len(pair.pages) == 1 for pair in pairs)
    assert {pair.pages[0] for pair in pairs if pair.task is Task.PAGE_EXTRACTION} == set(range(len(rendered.pages)))


def test_print_that_the_model_reduces_too_far_is_not_asked_of_whole_pages():
    drawn, rendered, _ = paired_documents()[0]
    recipe = PairRecipe(mix=dict.fromkeys(Task, 4), max_pixels=28 * 28 * 250)
    usual, reduced = make_pairs(drawn, rendered, PairRecipe()), make_pairs(drawn, rendered, recipe)
    assert usual[0].task is Task.FULL_EXTRACTION
    assert not any(pair.task is Task.FULL_EXTRACTION for pair in reduced)
    for pair in (*usual, *reduced):
        assert pair.x_height is None or pair.x_height >= MIN_X_HEIGHT
    assert any(pair.box for pair in reduced)


def test_documents_of_several_pages_have_pairs_of_one_page_and_of_all():
    for drawn, rendered, pair in pairs_of(Task.MULTI_PAGE_LINES):
        assert pair.pages == tuple(range(len(rendered.pages)))
        (rows,) = json.loads(pair.response).values()
        if not VisibleDocument(drawn, rendered).too_small:
            assert len(rows) == len(drawn.document.lines or drawn.document.entries)
    pages = {(drawn.id, pair.pages[0]) for drawn, _, pair in pairs_of(Task.PAGE_EXTRACTION)}
    assert len(pages) > len({name for name, _ in pages})


def test_the_recipe_sets_the_number_of_pairs_of_each_task():
    drawn, rendered, _ = paired_documents()[0]
    only = PairRecipe(mix={Task.OCR_LINE: 3, Task.TABLE: 1})
    assert Counter(pair.task for pair in make_pairs(drawn, rendered, only)) == {Task.OCR_LINE: 3, Task.TABLE: 1}
    half = PairRecipe(mix={Task.DOCUMENT_TYPE: 1.5})
    assert {half.pair_count(Task.DOCUMENT_TYPE, str(number)) for number in range(50)} == {1, 2}
    assert PairRecipe().with_counts(ocr_line=2).mix == {**DEFAULT_MIX, Task.OCR_LINE: 2}
    with pytest.raises(ValidationError, match="arithmetic: -1"):
        PairRecipe(mix={Task.ARITHMETIC: -1})


def test_every_calculation_rule_has_a_wording():
    codes = set()
    for drawn, _, _ in paired_documents():
        amounts = amounts_of_leaves(flatten(drawn.document.to_json()))
        codes |= {outcome.code for outcome in check_calculations(amounts, drawn.document.currency_code)}
    assert len(codes) > 12
    assert all(claim_text(code, 1) for code in codes)
