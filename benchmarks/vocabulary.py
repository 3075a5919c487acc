"""How many different words and which amounts documents have, beside a folder of real ones.

Words are runs of letters in lower case. Their variety depends on how much text there is, so it is counted in the first
tokens of a text, as many for each row. Amounts are in euro, by the price levels of the generator (`PRICE_LEVELS`).
Real receipts are those of SROIE (ICDAR 2019), from a checkout of github.com/zzzDavid/ICDAR-2019-SROIE:

    python benchmarks/vocabulary.py
    python benchmarks/vocabulary.py --sroie ICDAR-2019-SROIE --plot amounts.png
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.locales import PRICE_LEVELS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
ENGLISH = ("en_GB", "en_US", "en_AU", "en_IN")
TOKENS = 39_400
TEST_SHARE = 0.15  # of vendors, whose names of items are looked for among those of all others
LONG_KNOBS = ("long_amounts", "many_lines", "very_long_tables", "several_pages")
PARTIES = ("seller", "buyer", "payee", "ship_to")


def words_of(texts: Iterable[str]) -> list[str]:
    """Return the words of texts in order."""
    return [word for text in texts for word in WORD.findall(text.lower())]


def page_texts(drawn: DrawnDocument) -> list[str]:
    """Return what a page prints: values, labels and remarks."""
    look = drawn.presentation
    return [*drawn.printed.values(), *look.labels.values(), *look.remarks]


def draw(count: int, **weights: object) -> list[DrawnDocument]:
    """Draw documents of a plan whose recipe differs from the default by some weights."""
    plan = seed_plan("batch-000", count, 5, Recipe.model_validate(weights))
    return [draw_document(plan, index) for index in range(count)]


def verbatim_share(drawn: Sequence[DrawnDocument]) -> float:
    """Return the share of names of items of some vendors that items of the other vendors have too."""
    vendors = sorted({document.vendor for document in drawn})
    Random(0).shuffle(vendors)
    held_out = set(vendors[: round(TEST_SHARE * len(vendors))])
    items = [(document.vendor in held_out, line.item_name) for document in drawn for line in document.document.lines]
    known = {name for is_held_out, name in items if not is_held_out}
    names = [name for is_held_out, name in items if is_held_out]
    return sum(name in known for name in names) / len(names)


def ratio(texts: Sequence[str]) -> str:
    """Return the number of different texts and of all."""
    return f"{len(set(texts))} of {len(texts)} ({len(set(texts)) / max(1, len(texts)):.2f})"


def percentiles(values: Sequence[float]) -> str:
    """Return the 10th, 50th and 90th percentile and the maximum of amounts, as cells of a table."""
    ordered = sorted(values)
    picked = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.1, 0.5, 0.9)]
    return " | ".join(f"{value:,.0f}" for value in (*picked, ordered[-1]))


def totals(drawn: Iterable[DrawnDocument]) -> list[float]:
    """Return the totals with tax of documents in euro."""
    return [
        abs(float(document.document.totals.total_with_vat or 0)) / PRICE_LEVELS[document.document.currency_code]
        for document in drawn
        if document.document.totals
    ]


def read_sroie(folder: Path) -> tuple[list[str], list[float]]:
    """Return the texts of the boxes and the totals of SROIE."""
    texts = [
        line.split(",", 8)[8].strip()
        for file in sorted((folder / "data" / "box").glob("*.csv"))
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.count(",") >= 8
    ]
    amounts = []
    for file in sorted((folder / "data" / "key").glob("*.json")):
        amount = re.sub(r"[^\d.]", "", json.loads(file.read_text(encoding="utf-8")).get("total", ""))
        if amount:
            amounts.append(float(amount))
    return texts, amounts


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=500, help="documents of each sample")
    parser.add_argument("--sroie", type=Path, help="a checkout of SROIE, for the rows of real receipts")
    parser.add_argument("--plot", type=Path, help="write a plot of the totals to this file")
    options = parser.parse_args()
    real = read_sroie(options.sroie) if options.sroie else None
    english = draw(options.documents, locales=dict.fromkeys(ENGLISH, 1.0))
    mixed = draw(options.documents)
    texts = {"English documents": [text for drawn in english for text in page_texts(drawn)]}
    if real:
        texts["SROIE"] = real[0]
    print(f"| text | tokens | different words in the first {TOKENS:,} |\n|---|---|---|")
    for name, parts in texts.items():
        words = words_of(parts)
        print(f"| {name} | {len(words):,} | {len(set(words[:TOKENS])):,} |")
    names = [line.item_name for drawn in mixed for line in drawn.document.lines]
    parties = [party.name for drawn in mixed for field in PARTIES if (party := getattr(drawn.document, field))]
    print(f"\n{options.documents} documents of all locales:")
    print(f"- different names of items: {ratio(names)}; in documents of other vendors too: {verbatim_share(mixed):.1%}")
    print(f"- different names of parties: {ratio(parties)}")
    print(f"- different remarks: {ratio([text for drawn in mixed for text in drawn.presentation.remarks])}")
    print("\n| totals in euro | documents | p10 | median | p90 | largest |\n|---|---|---|---|---|---|")
    samples = {}
    for document_type in (DocumentType.RECEIPT, DocumentType.INVOICE, DocumentType.PURCHASE_ORDER):
        drawn = draw(options.documents, document_types={document_type: 1.0})
        usual = [document for document in drawn if not any(document.knobs[knob] for knob in LONG_KNOBS)]
        samples[str(document_type)] = totals(usual)
        for name, sample in (("", drawn), (" of usual length", usual)):
            print(f"| {document_type}{name} | {len(sample)} | {percentiles(totals(sample))} |")
    if real:
        print(f"| SROIE, in ringgit | {len(real[1])} | {percentiles(real[1])} |")
    if options.plot:
        plot(samples | ({"SROIE, in ringgit": real[1]} if real else {}), options.plot)


def plot(samples: dict[str, list[float]], path: Path) -> None:
    """Draw the distribution of the totals of each sample."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.2))
    for name, values in samples.items():
        ordered = sorted(values)
        axes.plot(ordered, [(index + 1) / len(ordered) for index in range(len(ordered))], label=name)
    axes.set(xscale="log", xlim=(0.5, 1e5), xlabel="total with tax", ylabel="share of documents")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
