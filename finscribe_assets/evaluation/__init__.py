"""Predictions against truth: fields, line items, tables, arithmetic, confidence, and the report of it all.

What belongs here: reading what a model wrote, and measuring it. Model output is untrusted text: nothing here raises on
it. Why a reader fails, and what to draw next, is mining's.
"""
