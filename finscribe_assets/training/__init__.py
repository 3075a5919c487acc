"""The embedded base model, and LoRA adapters on it or on the real PaddleOCR-VL.

What belongs here: architecture, tokenizer, the base's own pretraining, samples from pairs, the adapter's training loop
and its configuration. Reading with a trained model is inference's.
"""
