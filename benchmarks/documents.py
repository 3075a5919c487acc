"""How fast documents are drawn, beside the plain way: a new Faker for each document, with its default weighting.

Both make documents with the same fields and as many lines, a hundred of each in turn in one process, so that both
meet the same machine. The plain way calls Faker for each value and babel for each amount and date that is printed; it
knows no rules, no looks, no labels and no knobs, and its descriptions are Faker's sentences. The ratio is given for
its values alone, for those with the printing that many generators leave to their templates, and for the latter with
one Faker of all locales, as a generator of several languages has it.

    python benchmarks/documents.py
    python benchmarks/documents.py --flat 50000     # and whether memory stays flat
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from faker import Faker

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import Party

# Faker has companies, addresses and tax numbers of its own for these.
LOCALES = ("en_US", "en_GB", "de_DE", "de_AT", "fr_FR", "es_ES", "it_IT")
PLAIN = ("plain", "plain, printed", "plain, printed, of all locales")
TURN = 100  # documents of one way before the other has its turn


def plainly(like: DrawnDocument, locales: Sequence[str] = ()) -> dict[str, Any]:
    """Draw a document with Faker alone, with a value for each that another document has."""
    truth = like.document
    faker = Faker(list(locales))[truth.locale] if locales else Faker(truth.locale)
    faker.seed_instance(like.index)
    lines: list[dict[str, Any]] = []
    for line in truth.lines or truth.entries:
        quantity, price = faker.random_int(1, 20), faker.pydecimal(left_digits=3, right_digits=2, positive=True)
        values = {name: faker.bothify("?####") for name, value in line if isinstance(value, str)}
        lines.append(
            values
            | {
                "name": faker.sentence(nb_words=4),
                "quantity": quantity,
                "price": price,
                "rate": faker.random_element((19, 7)),
                "amount": quantity * price,
            }
        )
    net = sum((line["amount"] for line in lines), Decimal(0))
    document = {name: faker.bothify("??-######") for name, value in truth if isinstance(value, str)}
    return document | {
        "issue_date": faker.date_between("-5y"),
        "due_date": faker.date_between("today", "+60d"),
        "iban": faker.iban(),
        "lines": lines,
        "net": net,
        "tax": round(net * 19 / 100, 2),
        "parties": [_company(faker) for _, value in truth if isinstance(value, Party)],
    }


def _company(faker: Faker) -> dict[str, str]:
    return {
        "name": faker.company(),
        "street": faker.street_address(),
        "city": faker.city(),
        "post_code": faker.postcode(),
        "contact": faker.name(),
        "phone": faker.phone_number(),
        "email": faker.company_email(),
        "tax": faker.bothify("??#########"),
    }


def printed(values: dict[str, Any], locale: str) -> list[str]:
    """Return the amounts and dates of a plain document as babel writes them."""
    lines = values["lines"]
    texts = [format_decimal(line[name], "#,##0.00", locale) for line in lines for name in ("price", "rate", "amount")]
    texts += [format_decimal(line["quantity"], locale=locale) for line in lines]
    texts += [format_currency(values[name], "EUR", locale=locale) for name in ("net", "tax")]
    return texts + [format_date(values[name], locale=locale) for name in ("issue_date", "due_date")]


def memory() -> int:
    """Return the largest resident size so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print documents a CPU second of both ways, the ratios, and memory on the way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000, help="documents of each way (default 1000)")
    parser.add_argument("--flat", type=int, default=0, help="then draw so many more and watch the memory")
    arguments = parser.parse_args()
    count = arguments.documents
    plan = seed_plan("batch-000", max(count, arguments.flat), 1, Recipe(locales=dict.fromkeys(LOCALES, 1.0)))
    spent = dict.fromkeys(("ours", *PLAIN), 0.0)
    for locale in LOCALES:  # both read their words before the clock runs
        plainly(draw_document(seed_plan("batch-999", 1, 1, Recipe(locales={locale: 1.0})), 0))
    for start in range(0, count, TURN):
        times = [time.process_time()]
        documents = [draw_document(plan, index) for index in range(start, min(start + TURN, count))]
        times.append(time.process_time())
        values = [plainly(document) for document in documents]
        times.append(time.process_time())
        for document, plain in zip(documents, values, strict=True):
            printed(plain, document.document.locale)
        times.append(time.process_time())
        for document in documents:
            printed(plainly(document, LOCALES), document.document.locale)
        times.append(time.process_time())
        starts = {"ours": (0, 1), PLAIN[0]: (1, 2), PLAIN[1]: (1, 3), PLAIN[2]: (3, 4)}
        for way, (begin, end) in starts.items():
            spent[way] += times[end] - times[begin]
    report: dict[str, object] = {"documents a CPU second": {way: round(count / took) for way, took in spent.items()}}
    report["ratio"] = {way: round(spent[way] / spent["ours"], 1) for way in PLAIN}
    if arguments.flat:
        report["peak MiB"] = marks = {}
        for index in range(arguments.flat):
            draw_document(plan, index)
            if index + 1 in (1000, arguments.flat):
                marks[f"after {index + 1}"] = memory()
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
