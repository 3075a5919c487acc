"""What is known of documents that failures are compared by: what was drawn for them, or what is measured on them."""

from __future__ import annotations

from finscribe_assets.iteration.batch_documents import PredictedDocuments
from finscribe_assets.measuring.measured_documents import measure_pages
from finscribe_assets.measuring.measured_values import values_shown_by_measures, values_shown_by_truth
from finscribe_assets.mining.attribution import DrawnValues, drawn_values
from finscribe_assets.rendering.page_batch import pages_by_id


def known_values(documents: PredictedDocuments) -> tuple[DrawnValues, bool]:
    """Return the values of documents by id and name, and whether they were measured.

    Documents that were drawn here have drawn values. For others, the values are taken that their pages and their ground
    truth show, under the names of the knobs that produce them.
    """
    if documents.drawn:
        return drawn_values(list(documents.drawn.values())), False
    values = {name: values_shown_by_truth(truth.document) for name, truth in documents.truths.items()}
    for folder in documents.image_folders:
        for rendered in pages_by_id(folder, documents.truths.keys()):
            measures = measure_pages(rendered.id, rendered.pages).measures
            values[rendered.id] = values_shown_by_measures(measures) | values[rendered.id]
    if not documents.image_folders:
        return {}, False  # without pages, too little is known of them
    return values, True
