"""What a financial document is, and how one is drawn at random.

What belongs here: the schema (EN 16931 terms), the arithmetic rules that a document keeps, the recipe of knobs from
which documents are drawn, the locales' formats and wordings, the generator, and the export to UBL with its official
validation. How a page looks is rendering's.
"""
