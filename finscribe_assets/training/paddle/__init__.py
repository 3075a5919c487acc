"""Training an adapter with Baidu's own tools, PaddleFormers or ERNIEKit, in an environment of their own.

What belongs here: what these tools are given (a checkpoint in their layout, JSON lines, YAML), how they are started and
heard, and their weights brought back into peft's layout. Nothing here imports paddle but `plugin`, which runs there.
Which back end trains is decided in `training.backends`.
"""
