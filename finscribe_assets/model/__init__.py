"""PaddleOCR-VL's architecture, the embedded base model, and what training and inference share.

What belongs here: architecture, tokenizer, loading of bases and adapters, image preparation, line finding,
decoding.
Not here: training loops (`training`, `pretraining`) and choosing what to read (`inference`).
"""
