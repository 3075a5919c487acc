"""PaddleOCR-VL's architecture, the embedded base model, and the model code that training and inference share.

What belongs here: architecture, tokenizer, loading of bases and adapters, line images, line finding, table assembly,
forward pass and decoding. Not here: training loops (`training`, `pretraining`) and the choice of what to read on a page
(`inference`).
"""
