"""One pass of the loop on stored batches: predict → measure → mine → plan → decide.

What belongs here: which files of which batch each step reads and writes. Assets (`orchestration`) and commands (`cli`)
are two shells around these functions. Not here: how anything is measured (`evaluation`) or mined (`mining`).
"""
