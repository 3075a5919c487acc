"""Train adapters, LoRA or full, on the embedded base or on PaddleOCR-VL.

What belongs here: settings and presets, samples from pairs, their encoding and order, losses, the training loop,
and the back ends of Paddle. Not here: how the base itself is made (`pretraining`), reading with an adapter
(`inference`).

One training, in the order of its modules::

    adapter_config     settings                     sample_encoding    tokens and label masks
    training_samples   pairs → samples              epoch_order        which samples each step takes
    prepared_training  all of the above, and the model
    peft_trainer       takes the steps; or paddle.paddle_trainer does
    adapter_folder     the finished adapter and its record
"""
