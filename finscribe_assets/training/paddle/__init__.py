"""Train adapters with Baidu's own tools, PaddleFormers or ERNIEKit, in a Python environment of their own.

What belongs here: what these tools are given (a checkpoint in their layout, JSON lines, YAML), how they are started and
report their steps, and how their weights come back into peft's layout. Nothing here imports paddle except
`paddleformers_plugin`, which runs in Paddle's environment. `training.backends` decides which back end trains.
"""
