"""Remarks at the end of documents, composed of a sentence of the language and names, products, places and numbers."""

from __future__ import annotations

import datetime as dt
from random import Random

from finscribe_assets.documents.articles import regional_noun
from finscribe_assets.documents.coined_words import coin_word
from finscribe_assets.documents.formats import write_date
from finscribe_assets.documents.identifiers import digits
from finscribe_assets.documents.places import places_of
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.documents.trades import products_of
from finscribe_assets.documents.wordings import phrases

REMARK_SHARES = (0.35, 0.4, 0.25)  # of documents with no, one and two such remarks
_DAYS = (5, 7, 8, 10, 14, 21, 28, 30)  # Arabic has another plural above ten
_SENTENCES = {
    DocumentType.INVOICE: "notes.bill",
    DocumentType.CREDIT_NOTE: "notes.bill",
    DocumentType.PURCHASE_ORDER: "notes.order",
    DocumentType.RECEIPT: "notes.receipt",
}


def draw_remarks(
    random: Random,
    document_type: DocumentType,
    locale: str,
    trade: str,
    day: dt.date,
    date_pattern: str,
    digit_set: str,
    *,
    is_examination: bool = False,
) -> tuple[str, ...]:
    """Draw remarks for a document, such as whom to call and when the shop is closed; a bank statement has none.

    Args:
        random: the stream to draw from.
        document_type: the document's type.
        locale: its locale.
        trade: the seller's trade, whose products the remarks name.
        day: the issue date; dates in remarks are around it.
        date_pattern: the pattern of all dates on the page.
        digit_set: the set of digits of the page (see `NumberStyle.digits`).
        is_examination: whether coined words are those that no batch has.
    """
    count = random.choices(range(len(REMARK_SHARES)), REMARK_SHARES)[0]
    if document_type not in _SENTENCES or not count:
        return ()
    places, language = places_of(locale), locale[:2]
    goods = [product for product in products_of(trade) if not product.is_service] or products_of("office")
    remarks = []
    for sentence in random.sample(phrases(locale, _SENTENCES[document_type]), count):
        near = day + dt.timedelta(days=random.randint(-200, 90))
        remarks.append(
            sentence.format(
                person=places.write(random, random.choice(places.people)),
                phone=places.write(random, random.choice(places.phones)),
                street=places.draw_street(random),
                city=random.choice(places.cities).home,
                product=regional_noun(random.choice(goods).nouns[language], locale),
                word=coin_word(random, language, reserved=is_examination),
                domain=coin_word(random, "en", reserved=is_examination).lower(),
                number=digits(random, random.randint(3, 9)),
                days=random.choice(_DAYS[:4] if language == "ar" else _DAYS),
                date=write_date(near, locale, date_pattern, digit_set),
            )
        )
    return tuple(remarks)
