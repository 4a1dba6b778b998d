"""The model is loaded while health answers; a new one is taken over while requests go on; a failure ends the server."""

import asyncio
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from answering import ask, running, served, wait_until
from slow_bundle import slow

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError
from igarape.serving.admission import Refused
from igarape.serving.batching import Answer, Job, Served
from igarape.serving.requests import Files
from igarape.serving.service import Service


def test_until_the_model_is_loaded_only_that_is_said(bundle_folder: Path, images: list[Pixels]) -> None:
    """503 with Retry-After everywhere; 200 when it is there."""
    go = threading.Event()
    model = served(bundle_folder)

    def load(before: Served | None) -> Served | None:
        assert go.wait(30)
        return model

    chip = encode_jpeg(images[0], 95)
    with running(load) as (port, service):
        for path, body in (("/health", None), ("/ping", None), ("/version", None), ("/tag", chip)):
            status, headers, said = ask(port, path, body, "image/jpeg")
            assert status == 503 and headers["retry-after"] == "1" and b"being loaded" in said
        assert b"igarape_ready 0.0" in ask(port, "/metrics")[2]
        go.set()
        wait_until(lambda: service.batcher is not None)
        assert [ask(port, path)[0] for path in ("/health", "/ping", "/version")] == [200, 200, 200]


def test_a_new_model_is_taken_over_without_a_dropped_request(bundle_folder: Path, images: list[Pixels]) -> None:
    """While requests go on, every answer is one of either version, and the last ones are of the new one.

    A registry that fails for a while changes nothing.
    """
    models = [served(bundle_folder), served(bundle_folder, "2")]
    found = [InputError("MLflow is away"), None, models[1]]
    promoted = threading.Event()

    def load(before: Served | None) -> Served | None:
        if before is None:
            return models[0]
        answer = found.pop(0) if promoted.is_set() and found else None
        if isinstance(answer, InputError):
            raise answer
        return answer

    chip = encode_jpeg(images[0], 95)
    seen: list[tuple[int, bytes]] = []
    with running(load, watch=0.05) as (port, service):
        wait_until(lambda: service.batcher is not None)

        def send() -> None:
            while found or len(seen) < 60:
                status, _, said = ask(port, "/tag", chip, "image/jpeg")
                seen.append((status, said))

        threads = [threading.Thread(target=send) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(seen) > 10)
        promoted.set()
        for thread in threads:
            thread.join(60)
        last = ask(port, "/version")[2]
    assert {status for status, _ in seen} == {200}
    assert b'"version": "1"' in seen[0][1] and b'"version":"2"' in last


def test_a_model_that_cannot_be_loaded_ends_the_server() -> None:
    """The error is kept for who started it."""
    stopped: list[bool] = []

    def load(_: Served | None) -> Served | None:
        raise InputError("no files")

    service = Service(load, workers=1)
    asyncio.run(service.run(lambda: stopped.append(True)))
    assert stopped == [True] and str(service.failure) == "no files"
    with pytest.raises(ValueError, match="expected a model"):
        asyncio.run(Service(lambda _: None, workers=1).run(lambda: None))


def test_a_large_request_is_answered_in_parts_in_its_order(
    bundle_folder: Path, images: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts that fit into a batch; the row of a bad picture is counted over all of them."""
    model = served(bundle_folder)
    chips = [encode_jpeg(images[k % len(images)], 95) for k in range(150)]

    async def asked() -> None:
        service = Service(lambda before: None if before else model, workers=2)
        await service.run(lambda: None)
        answers = await service.answer(Files(chips, None, [None] * 150))
        assert [len(each.rows) for each in answers] == [64, 64, 22]
        tags = [tag for each in answers for tag in each.rows["tags"]]
        assert tags == list(model.bundle.answer(chips)["tags"])
        with pytest.raises(InputError, match="row 140: "):
            await service.answer(Files([*chips[:140], b"none"], None, [None] * 141))
        monkeypatch.setattr(service.ready, "_limit", 0)
        with pytest.raises(Refused) as caught:
            await asyncio.gather(*(service.answer(Files(chips, None, [None] * 150)) for _ in range(5)))
        assert caught.value.status == 429 and int(caught.value.headers["Retry-After"]) >= 1
        service.close()

    asyncio.run(asked())


def test_one_request_has_one_version(bundle_folder: Path, images: list[Pixels]) -> None:
    """Where a new one comes between its parts, all are asked of that: a table of two would say one thing of both."""
    bundle, old = slow(bundle_folder)
    new = served(bundle_folder, "2")
    chip = encode_jpeg(images[0], 95)

    async def asked() -> None:
        service = Service(lambda before: None if before else old, workers=1)
        await service.run(lambda: None)
        asking = asyncio.create_task(service.answer(Files([chip] * 150, None, [None] * 150)))
        await asyncio.to_thread(wait_until, lambda: bool(bundle.batches))
        service.ready.served = new
        bundle.go.set()
        answers = await asking
        assert [(each.served.version, len(each.rows)) for each in answers] == [("2", 64), ("2", 64), ("2", 22)]
        service.close()

    asyncio.run(asked())


def test_who_waits_when_the_servers_time_is_over_is_told(
    bundle_folder: Path, images: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and nobody computes for them any more."""
    model, waiting, begun = served(bundle_folder), list[Job](), asyncio.Event()

    def submit(job: Job) -> Future[Answer]:
        waiting.append(job)
        begun.set()
        return job.answer

    async def cut_off() -> None:
        service = Service(lambda before: None if before else model, workers=1)
        await service.run(lambda: None)
        monkeypatch.setattr(service.ready, "submit", submit)
        asked = asyncio.create_task(service.answer(Files([encode_jpeg(images[0], 95)], None, [None])))
        await begun.wait()
        asked.cancel()
        with pytest.raises(Refused, match="the server ends; try again") as caught:
            await asked
        await asyncio.sleep(0.01)
        assert caught.value.status == 503 and waiting[0].answer.cancelled()
        service.close()

    asyncio.run(cut_off())
