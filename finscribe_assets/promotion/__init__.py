"""Which adapter is used: the exam that adapters take, the gate that promotes one, and the rule that stops the loop.

What belongs here: exam results, paired statistics of two readers on the same exam, the gate's checks, the record of
promotions, and statements of power. Not here: how documents are read (`inference`, `probing`) or planned (`mining`).
"""
