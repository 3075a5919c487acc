"""The model that the service reads with, and its replacement when another adapter is promoted.

What belongs here: which adapter is read with, loading it, and exchanging it while documents are read. A document is
read from its first to its last page by the model that was in use when its reading began; that model stays in memory
until then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from finscribe_assets.errors import UserError
from finscribe_assets.service.document_reading import ReadBy
from finscribe_assets.service.service_log import log_event

if TYPE_CHECKING:
    from finscribe_assets.opening.page_content import PageContent
    from finscribe_assets.schema_mapping.mapping import SchemaMapping

RELOAD_SECONDS = 10.0  # between two looks at which adapter is promoted


@dataclass(frozen=True)
class AdapterChoice:
    """An adapter to read with."""

    folder: Any = None  # path of the adapter; None for the bare base
    batch: str | None = None  # that it was promoted after
    weights: str | None = None  # SHA-256 that its weights are promised to have


class DocumentExtractor(Protocol):
    """What reads an opened document; `inference.extraction.Extractor` is one."""

    def read_content(self, name: str, content: PageContent, box: None = None, id_: str | None = None) -> dict[str, Any]:
        """Return the record of a document."""
        ...


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to read."""

    extractor: DocumentExtractor
    read_by: ReadBy
    one_at_a_time: bool = True  # whether documents must be read one after the other, as by a model in this process
    mapping: SchemaMapping | None = None  # of the user's keys that records are in, and pages are asked in
    reads: str = "lines"  # or pages
    server_root: str | None = None  # what a server says it has loaded
    is_on_server: bool = False


LoadModel = Callable[[AdapterChoice], LoadedModel]
ChooseAdapter = Callable[[], AdapterChoice]


class ReaderInUse:
    """The model in use. `reload` may replace it at any time; a reader keeps the one that it has taken."""

    def __init__(
        self,
        choose: ChooseAdapter,
        load: LoadModel,
        on_reload: Callable[[bool, ReadBy], None] = lambda _loaded, _by: None,
    ) -> None:
        """Load the model.

        Args:
            choose: Returns the adapter to read with at this moment.
            load: Loads it.
            on_reload: Called after each attempt to load another adapter with whether it was loaded, and with the reader
                in use after it.

        Raises:
            UserError: The adapter does not exist, belongs to another base, or is not the promised one.
        """
        self._choose, self._load, self.on_reload = choose, load, on_reload
        self._choice = choose()
        self._current = self._load_checked(self._choice)
        self._stopped = threading.Event()
        self._watch: threading.Thread | None = None
        self._reloading = threading.Lock()

    @property
    def current(self) -> LoadedModel:
        """Return the model in use."""
        return self._current  # one reference, which is replaced as a whole

    def reload(self) -> bool:
        """Load the adapter that is to be read with now, if it is another one; return whether it was replaced.

        A promoted adapter that cannot be loaded is logged, and the one in use stays.
        """
        with self._reloading:
            try:
                choice = self._choose()
                if choice == self._choice:
                    return False
                loaded = self._load_checked(choice)
            except Exception as error:  # noqa: BLE001, whatever is wrong with the new adapter, the one in use reads on
                log_event("reload_failed", level="error", error=type(error).__name__, reason=str(error))
                self.on_reload(False, self._current.read_by)
                return False
            self._choice, self._current = choice, loaded
        log_event("reloaded", **loaded.read_by.model_dump())
        self.on_reload(True, loaded.read_by)
        return True

    def _load_checked(self, choice: AdapterChoice) -> LoadedModel:
        loaded = self._load(choice)
        if choice.weights is not None and loaded.read_by.adapter != choice.weights:
            raise UserError(
                f"{choice.folder}: its weights have SHA-256 {str(loaded.read_by.adapter)[:12]}, and the promoted ones "
                f"{choice.weights[:12]}; they were trained again after the promotion, or are still being written"
            )
        return loaded

    def start_watching(self, seconds: float = RELOAD_SECONDS) -> None:
        """Look in a thread, at this interval, whether another adapter is promoted."""

        def watch() -> None:
            while not self._stopped.wait(seconds):
                self.reload()

        self._watch = threading.Thread(target=watch, name="adapter-watch", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()
        if self._watch is not None:
            self._watch.join()


def promoted_choice(storage: str) -> AdapterChoice:
    """Return the adapter in use in a storage.

    Raises:
        MissingInputError: No adapter is in use.
    """
    from finscribe_assets.documents.batch_keys import LAST_BATCH_KEY
    from finscribe_assets.errors import MissingInputError
    from finscribe_assets.iteration.batch_storage import FolderStorage
    from finscribe_assets.iteration.promoting import adapter_folder, adapter_in_use

    batches = FolderStorage(storage)
    in_use = adapter_in_use(batches, LAST_BATCH_KEY)
    if in_use is None:
        raise MissingInputError(f"{storage}: no adapter is in use; `finscribe adapters --storage {storage}` says why")
    return AdapterChoice(adapter_folder(batches, in_use), in_use.key, in_use.adapter)
