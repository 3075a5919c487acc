"""Take the exam: readers read the papers; fields are compared with the truth, responses with what is printed.

Stock prompts are asked of blocks and tables of the base part: they are what the base could do before any training, and
what fine-tuned models forget.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from finscribe_assets.files import sha256_of
from finscribe_assets.inference.image_reader import ReadRequest
from finscribe_assets.instructions.crops import OpenPage, page_cache, pair_images
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.task_mix import PairRecipe, make_pairs
from finscribe_assets.model.decoded_text import DecodedText
from finscribe_assets.probing.readings import FieldPredictions, ReadingTask, count_failures
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.promotion.exam_documents import ExamPaper
from finscribe_assets.promotion.exam_results import BASE_PART, ExamDocument, ExamResult
from finscribe_assets.rendering.pages import RenderedDocument

# A block of every second document of the base part, and a table of every tenth, which has the tokens of several blocks.
STOCK_MIX = PairRecipe(mix={Task.OCR_REGION: 0.5, Task.TABLE: 0.1})

Known = Mapping[str, ExamDocument]
"""What a reader got right before, by paper id."""


def take_exam(
    readers: Sequence[RenderedReader],
    papers: Sequence[ExamPaper],
    known: Sequence[Known] = (),
    on_documents: Callable[[int], None] | None = None,
) -> list[ExamResult]:
    """Let readers take an exam. They share the rendered pages.

    Args:
        readers: The readers.
        papers: The exam, from `exam_papers`.
        known: What each reader got right before. A part that is known wholly is not read again; others are read wholly,
            because what is read together may decide about the last digit of a probability.
        on_documents: Called with the number of documents that were finished by all since the last call.

    Returns:
        A result for each reader, in their order.
    """
    by_part: defaultdict[str, list[ExamPaper]] = defaultdict(list)
    for paper in papers:
        by_part[paper.part].append(paper)
    results: list[list[ExamDocument]] = [[] for _ in readers]
    for some in by_part.values():
        earlier = [_known_part(some, known[index] if known else {}) for index in range(len(readers))]
        for result, part in zip(results, earlier, strict=True):
            result.extend(part)
        waiting = [index for index, part in enumerate(earlier) if not part]
        done = 0
        for documents in readers[0].rendered([paper.drawn for paper in some]) if waiting else ():
            read = some[done : done + len(documents)]
            done += len(documents)
            for index in waiting:
                results[index] += _read_papers(readers[index], read, documents)
            if on_documents:
                on_documents(len(documents))
        if not waiting and on_documents:
            on_documents(len(some))
    hashed = exam_hash(papers)
    return [
        ExamResult(reader=reader.identity, exam=hashed, documents=tuple(result))
        for reader, result in zip(readers, results, strict=True)
    ]


def exam_hash(papers: Sequence[ExamPaper]) -> str:
    """Return a hash of an exam's documents and of the fields that count."""
    return sha256_of("\n".join(f"{paper.id} {paper.content}" for paper in papers))


def _known_part(papers: Sequence[ExamPaper], known: Known) -> list[ExamDocument]:
    """Return what is known of a part, if all of it is."""
    found = [known[paper.id] for paper in papers if paper.id in known]
    is_whole = [one.content for one in found] == [paper.content for paper in papers]
    return found if is_whole else []


def _read_papers(
    reader: RenderedReader, papers: Sequence[ExamPaper], documents: Sequence[RenderedDocument]
) -> list[ExamDocument]:
    tasks = [ReadingTask(paper.drawn, paper.fields) for paper in papers]
    predictions = reader.read_rendered(tasks, documents)
    stock = _read_stock_prompts(reader, papers, documents)
    return [
        _result(paper, task, predicted, battery)
        for paper, task, predicted, battery in zip(papers, tasks, predictions, stock, strict=True)
    ]


@dataclass(frozen=True)
class _StockReading:
    pair: Pair
    decoded: DecodedText

    @property
    def similarity(self) -> float:
        return Levenshtein.normalized_similarity(self.pair.response, self.decoded.text)


def _read_stock_prompts(
    reader: RenderedReader, papers: Sequence[ExamPaper], documents: Sequence[RenderedDocument]
) -> list[list[_StockReading]]:
    """Read blocks and tables of the base part's documents; nothing of the other parts'."""
    owners, pairs, requests = [], list[Pair](), []
    for index, (paper, document) in enumerate(zip(papers, documents, strict=True)):
        if paper.part != BASE_PART:
            continue
        open_page = _page_opener(document)
        for pair in make_pairs(paper.drawn, document, STOCK_MIX):
            owners.append(index)
            pairs.append(pair)
            is_block = pair.task is Task.OCR_REGION
            requests.append(ReadRequest(tuple(pair_images(pair, open_page)), pair.prompt, is_block=is_block))
    readings: list[list[_StockReading]] = [[] for _ in papers]
    for index, pair, decoded in zip(owners, pairs, reader.reader.read(requests), strict=True):
        readings[index].append(_StockReading(pair, decoded))
    return readings


def _page_opener(document: RenderedDocument) -> OpenPage:
    return page_cache(lambda _, page: document.pages[page])


def _result(
    paper: ExamPaper, task: ReadingTask, predicted: FieldPredictions, stock: Sequence[_StockReading]
) -> ExamDocument:
    asked = {path: predicted.values.get(path) for path in paper.fields}
    counts = count_failures(task, FieldPredictions(asked))
    failures = sum(failed for name, (failed, _) in counts.items() if "/" not in name)  # parts of elements count once
    return ExamDocument(
        id=paper.id,
        part=paper.part,
        content=paper.content,
        fields=len(paper.fields),
        correct=len(paper.fields) - failures,
        stock_similarity=sum(one.similarity for one in stock) / len(stock) if stock else None,
        response_tokens=sum(len(one.decoded.tokens) for one in stock),
        endless_responses=sum(one.decoded.truncated for one in stock),
    )
