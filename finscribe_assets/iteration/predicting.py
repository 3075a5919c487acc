"""Predict: the adapter of a batch, its bare base and perhaps a server read the validation and test documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finscribe_assets.device_lock import device_lock
from finscribe_assets.evaluation.prediction_files import read_predictions
from finscribe_assets.files import read_json, remove_folder
from finscribe_assets.inference.prediction import PREDICTIONS_FILE, PredictionSummary, predict_batch
from finscribe_assets.inference.server_reader import ServerReader
from finscribe_assets.inference.server_settings import ServerSettings
from finscribe_assets.instructions.prompt_wordings import full_extraction_prompt
from finscribe_assets.instructions.response_keys import structure_of
from finscribe_assets.iteration.batch_documents import (
    ADAPTER,
    BASE,
    MEASURED_SPLITS,
    SERVER,
    batch_mapping,
    measured_batch,
    truths_of,
)
from finscribe_assets.iteration.batch_storage import BatchStorage, Stage
from finscribe_assets.model.adapters import TRAINING_RECORD
from finscribe_assets.model.torch_runtime import gpu_name
from finscribe_assets.ray_pool import reading_pool_from_environment

Advance = Callable[[int], None]


@dataclass(frozen=True)
class BatchPredictions:
    """What was predicted for a batch.

    Attributes:
        documents: Number of documents read by each reader.
        splits: Number of documents by split name.
        summary: The adapter's run: layout, device, seconds for each document.
        missing: Ids of documents without a prediction, by reader name; empty lists where all is well.
    """

    documents: int
    splits: dict[str, int]
    summary: PredictionSummary
    missing: dict[str, list[str]]


def predict_measured(
    storage: BatchStorage,
    key: str,
    progress: Callable[[int, str], Advance],
    server: ServerSettings | None = None,
) -> BatchPredictions:
    """Write the predictions of a batch's adapter and of its base on the batch's validation and test documents.

    Documents that were read before are not read again.

    Args:
        storage: Where the batch is, and the predictions go.
        key: The batch.
        progress: Called with the number of documents and a text for each reader; returns what is told of progress.
        server: Has a model that reads the same documents, to be compared with the adapter.

    Raises:
        UserError: The server cannot be asked.
    """
    batch = measured_batch(storage, key)
    folder = storage.folder(Stage.PREDICTIONS, key)
    adapter = storage.folder(Stage.TRAINED_ADAPTER, key)
    config = read_json(adapter / TRAINING_RECORD)["config"]
    mapping = batch_mapping(storage, key)

    def predict(reader: str) -> PredictionSummary:
        served = ServerReader(server, config["threads"]) if server and reader == SERVER else None
        with device_lock(None if served else gpu_name(), f"predictions of {key} by the {reader}"):
            return predict_batch(
                list(batch.image_folders),
                set(batch.drawn),
                folder / reader,
                reader=served,
                base=config["base"],
                adapter=adapter if reader == ADAPTER else None,
                prompt=full_extraction_prompt(structure_of(mapping)) if mapping else "",
                # As many threads as in training, on any machine: predictions must not depend on the number of cores.
                threads=config["threads"],
                pool=reading_pool_from_environment(config["threads"]),
                on_documents=progress(len(batch.drawn), f"documents read by the {reader}"),
            )

    summary = predict(ADAPTER)
    predict(BASE)
    if server:
        predict(SERVER)
    else:
        remove_folder(folder / SERVER)  # of an earlier run: the report must not show it as this run's
    truths = truths_of(batch.drawn, {})
    readers = (ADAPTER, BASE, *([SERVER] if server else []))
    predicted = {reader: read_predictions(folder / reader / PREDICTIONS_FILE, truths)[0] for reader in readers}
    return BatchPredictions(
        documents=len(batch.drawn),
        splits={str(split): len(batch.ids(split)) for split in MEASURED_SPLITS},
        summary=summary,
        missing={reader: sorted(truths.keys() - found) for reader, found in predicted.items()},
    )
