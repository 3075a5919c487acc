"""Translate between the schema of documents and the keys of a user's own JSON, in both directions.

What belongs here: mapping files, paths in foreign JSON, and the two translations. What does not: prompts and responses
in a user's keys (`instructions`), and values in canonical form (`evaluation`).
"""
