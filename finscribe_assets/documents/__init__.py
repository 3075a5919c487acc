"""What a financial document is, and how one is drawn at random.

What belongs here: the schema (EN 16931 terms), the arithmetic rules that a document keeps, the recipe of knobs from
which documents are drawn, the locales' formats and wordings, and the generator. How a page looks is rendering's.
"""
