"""The champion at work: loaded while health already answers, asked in batches, and exchanged for a new one."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus

from igarape.serving.admission import AGAIN, Refused
from igarape.serving.batching import Answer, Batcher, Full, Job, Served
from igarape.serving.input_drift import Window
from igarape.serving.requests import Files

LOG = logging.getLogger("igarape.serve")

Load = Callable[[Served | None], Served | None]


class Service:
    """What the routes of the server ask. ready: once a model is loaded, until the end. failure: why none could be."""

    def __init__(self, load: Load, *, workers: int, watch: float | None = None) -> None:
        """Prepare a service that loads its model when it is run.

        Parameters
        ----------
        load
            Returns the model to serve, given the one that is served: None where that should stay. It is called in a
            thread.
        workers
            How many batches are computed at a time.
        watch
            Seconds between two looks for a new model; None: the first one is kept.
        """
        self._load = load
        self._workers = workers
        self._watch = watch
        self.batcher: Batcher | None = None
        self.failure: Exception | None = None
        self.window = Window()

    @property
    def ready(self) -> Batcher:
        """Return what answers; raise Refused (503) while there is none."""
        if self.batcher is None:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the model is being loaded; try again in a second", AGAIN)
        return self.batcher

    @property
    def columns(self) -> Sequence[str]:
        """Return the columns that the model sees."""
        return ("image", "nir") if self.ready.served.bundle.needs_nir else ("image",)

    async def run(self, stop: Callable[[], None]) -> None:
        """Load the model, then look for new ones; call stop where the first one cannot be loaded."""
        try:
            first = await asyncio.to_thread(self._load, None)
        except Exception as error:  # noqa: BLE001 - whoever started the server raises it
            self.failure = error
            stop()
            return
        if first is None:
            raise ValueError("expected a model, found none")
        self.batcher = Batcher(first, workers=self._workers)
        LOG.info("%s version %s answers", first.name, first.version)
        while self._watch is not None:
            await asyncio.sleep(self._watch)
            await self._look(self.batcher)

    async def _look(self, batcher: Batcher) -> None:
        """Take a new model over, where there is one; what is asked meanwhile, the old one answers."""
        try:
            found = await asyncio.to_thread(self._load, batcher.served)
        except Exception as error:  # noqa: BLE001 - the old one goes on, whatever is wrong with the registry
            LOG.warning("%s version %s goes on: %s", batcher.served.name, batcher.served.version, error)
            return
        if found is not None:
            batcher.served = found
            LOG.info("%s version %s answers from now on", found.name, found.version)

    def close(self) -> None:
        """Answer what waits, and end."""
        if self.batcher is not None:
            self.batcher.close()

    async def answer(self, files: Files) -> list[Answer]:
        """Return the answers for files, in their order, one for each part that fits into a batch, all by one model.

        Raises InputError where a picture is at fault, and Refused when too many wait (429) or the server ends (503).
        """
        answers = await self._parts(files)
        while len({id(answer.served) for answer in answers}) > 1:  # a new one came in between: all are asked of that
            answers = await self._parts(files)
        for answer in answers:
            self.window.add(answer.rows, answer.served.bundle)
        return answers

    async def _parts(self, files: Files) -> list[Answer]:
        """Return what answer does, by the model that is current when each part begins."""
        batcher = self.ready
        # Parts of one request take turns with those of others: no more of them wait than are computed at a time.
        slots = asyncio.Semaphore(batcher.workers)

        async def part(start: int) -> Answer:
            async with slots:
                rows = slice(start, start + batcher.most)
                nir = None if files.nir is None else files.nir[rows]
                return await asyncio.wrap_future(batcher.submit(Job(files.images[rows], nir, start)))

        tasks = [asyncio.create_task(part(start)) for start in range(0, len(files.images), batcher.most)]
        try:
            return await asyncio.gather(*tasks)
        except Full as full:
            again = {"Retry-After": str(full.seconds)}
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too many pictures wait; try again later", again) from full
        except asyncio.CancelledError as ended:  # the time that the server had after SIGTERM
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the server ends; try again", AGAIN) from ended
        finally:
            while tasks:  # which would hold an error, and that this frame with the pictures
                tasks.pop().cancel()
