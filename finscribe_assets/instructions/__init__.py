"""Pages → instruction pairs: an image region, a prompt and the response that a reader should give.

What belongs here: the tasks and their wordings, the text forms of responses (JSON, OTSL), and the pictures of pairs.
"""
