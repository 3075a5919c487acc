"""Financial documents: what they are, and how they are drawn at random.

Schema and truth:

- `schema`: the fields of a document; `terms`: helpers that declare them with their metadata
- `value_types`: elements and value types, by which fields are classified; `elements`: look-ups by field path
- `calculation_rules`: the arithmetic that amounts obey
- `data_dictionary`: fields and knobs as Markdown

Recipes and plans:

- `knobs`: the probability of each hard feature. **A new knob starts here**; the module says which steps follow
- `failure_causes`: the causes of reading errors that knobs target
- `layout_families`, `fonts`, `locales`: what else a recipe chooses from; `held_out`: what is held out to test readers
- `recipe`, `recipe_presets`, `recipe_files`: the distribution that documents are drawn from
- `plan`, `batch_keys`: what a batch is drawn from, and why

Drawing a document:

- `generator`: draws a document of a plan, in three steps
- `document_outline`: first, what is decided before the content: type, vendor, knob values, currency
- `document_drawing`: then the content, with `header_drawing`, `line_drawing`, `taxation`, `settlement`, `statements`
  and `table_paging`
- `presentation_drawing`: then how the page looks, with `vendor_habits`, `styling`, `captions` and `printed_values`
- `vendors`, `places`, `identifiers`, `banking`: companies, their addresses, registrations and accounts
- `wordings`, `formats`, `addresses`: labels and phrases; numbers, amounts and dates; lines of addresses
- `drawn_document`: the result, a row of `documents.parquet`; `document_batch`: batches as files

Export:

- `ubl`: invoices as UBL 2.1
- `ubl_validation`, `schematron`, `schematron_worker`: their validation by the official rules

What does not belong here: turning a document into pages (`rendering`) or prompts (`instructions`).
"""
