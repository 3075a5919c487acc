"""Measure predictions against the truth: fields, line items, tables, arithmetic and confidence, and report it.

What belongs here: parsing what a model wrote, and scoring it. Model output is untrusted text, and nothing here raises
on it. Why a reader fails, and which documents to draw next, belongs to `mining`.
"""
