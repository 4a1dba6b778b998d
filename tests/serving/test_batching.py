"""Requests that come together are answered together, each as if it were alone; the queue has an end."""

import gc
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from answering import served, wait_until
from slow_bundle import slow

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError
from igarape.serving.batching import Batcher, Full, Job


def test_a_picture_has_one_answer_whatever_it_is_batched_with(bundle_folder: Path, images: list[Pixels]) -> None:
    """The bundle's own, from many threads at once and two workers."""
    chips = [encode_jpeg(image, 95) for image in images]
    batcher = Batcher(served(bundle_folder), workers=2)
    try:
        with batcher.coming():
            answers = [batcher.submit(Job(chips[k % 3 :], None)) for k in range(30)]
        expected = batcher.served.bundle.answer(chips)
        for k, answer in enumerate(answers):
            rows = answer.result(30).rows.reset_index(drop=True)
            pd.testing.assert_frame_equal(rows, expected.iloc[k % 3 :].reset_index(drop=True), atol=1e-6)
    finally:
        batcher.close()


def test_what_waits_while_a_batch_is_computed_goes_together(bundle_folder: Path, images: list[Pixels]) -> None:
    """In its order, as many pictures as fit; a job larger than that goes by itself."""
    bundle, model = slow(bundle_folder)
    chip = encode_jpeg(images[0], 95)
    batcher = Batcher(model, workers=1, most=4)
    first = batcher.submit(Job([chip], None))
    wait_until(lambda: bundle.batches == [1])
    others = [batcher.submit(Job([chip] * count, None)) for count in (1, 2, 2, 5, 1)]
    assert batcher.waiting == 11
    bundle.go.set()
    assert [len(each.result(30).rows) for each in [first, *others]] == [1, 1, 2, 2, 5, 1]
    batcher.close()
    assert bundle.batches == [1, 3, 2, 5, 1]


def test_two_threads_share_what_waits(bundle_folder: Path, images: list[Pixels]) -> None:
    """Each takes its part of it, so that neither has all while the other has none."""
    bundle, model = slow(bundle_folder)
    chip = encode_jpeg(images[0], 95)
    batcher = Batcher(model, workers=2, wait=5)
    with batcher.coming():
        answers = [batcher.submit(Job([chip], None)) for _ in range(8)]
    wait_until(lambda: sorted(bundle.batches) == [2, 4])
    assert batcher.waiting == 2
    bundle.go.set()
    assert all(len(each.result(30).rows) == 1 for each in answers)
    batcher.close()


def test_a_batch_waits_for_what_is_coming_but_not_long(bundle_folder: Path, images: list[Pixels]) -> None:
    """It begins when that has come, or after the time that was set; at once where nothing is coming."""
    bundle, model = slow(bundle_folder)
    bundle.go.set()
    chip = encode_jpeg(images[0], 95)
    batcher = Batcher(model, workers=1, wait=0.5)
    batcher.submit(Job([chip], None)).result(30)
    with batcher.coming():
        answers = [batcher.submit(Job([chip], None)), batcher.submit(Job([chip], None))]
    assert [len(each.result(30).rows) for each in answers] == [1, 1]
    with batcher.coming():
        start = time.monotonic()
        batcher.submit(Job([chip], None)).result(30)
        assert time.monotonic() - start >= 0.4
    batcher.close()
    assert bundle.batches == [1, 2, 1]


def test_a_bad_picture_costs_its_own_request_only(bundle_folder: Path, images: list[Pixels]) -> None:
    """The row is counted from the request's own first one."""
    chip = encode_jpeg(images[0], 95)
    batcher = Batcher(served(bundle_folder), workers=1, wait=1.0)
    with batcher.coming():
        jobs = [Job([chip], None), Job([chip, b"none"], None, first=64), Job([chip], [b"tif"]), Job([chip, chip], None)]
        answers = [batcher.submit(job) for job in jobs]
    assert len(answers[0].result(30).rows) == 1 and len(answers[3].result(30).rows) == 2
    with pytest.raises(InputError, match="row 65: expected a JPEG, PNG or TIF"):
        answers[1].result(30)
    with pytest.raises(InputError, match="row 0, nir: the model sees pictures only"):
        answers[2].result(30)
    batcher.close()


def test_what_was_answered_is_let_go_at_once(bundle_folder: Path, images: list[Pixels]) -> None:
    """Not when Python looks for circles: the pictures, and a model that another one has followed, are large."""
    model, chip = served(bundle_folder), encode_jpeg(images[0], 95)
    batcher = Batcher(model, workers=1)
    gc.collect()
    gc.disable()
    try:
        jobs = [Job([chip], None), Job([chip, b"none"], None)]
        left: list[weakref.ref[Any]] = [weakref.ref(job) for job in jobs]
        assert len(batcher.submit(jobs[0]).result(30).rows) == 1
        assert isinstance(batcher.submit(jobs[1]).exception(30), InputError)
        left.append(weakref.ref(model))
        batcher.served = served(bundle_folder)
        del jobs, model
        wait_until(lambda: not any(each() for each in left))
    finally:
        gc.enable()
        batcher.close()


def test_a_full_queue_says_when_to_come_back(bundle_folder: Path, images: list[Pixels]) -> None:
    """Past its bound it takes nothing; but where none waits, a request is taken however large it is."""
    bundle, model = slow(bundle_folder)
    chip = encode_jpeg(images[0], 95)
    batcher = Batcher(model, workers=1, waiting=2)
    taken = [batcher.submit(Job([chip], None))]
    wait_until(lambda: bundle.batches == [1])
    taken.append(batcher.submit(Job([chip] * 3, None)))
    with pytest.raises(Full) as caught:
        batcher.submit(Job([chip], None))
    assert caught.value.seconds >= 1
    bundle.go.set()
    assert [len(each.result(30).rows) for each in taken] == [1, 3]
    batcher.close()


def test_who_has_gone_is_not_answered_and_a_failure_reaches_who_waits(
    bundle_folder: Path, images: list[Pixels]
) -> None:
    """The threads go on in both cases, and closing answers what waits."""
    bundle, model = slow(bundle_folder)
    chip = encode_jpeg(images[0], 95)
    batcher = Batcher(model, workers=1)
    first = batcher.submit(Job([chip], None))
    wait_until(lambda: bundle.batches == [1])
    gone, failed = batcher.submit(Job([chip] * 9, None)), batcher.submit(Job([chip], [chip]))
    assert gone.cancel() and batcher.waiting == 1  # whose place and pictures nobody keeps
    closing = threading.Thread(target=batcher.close)
    closing.start()
    bundle.go.set()
    assert len(first.result(30).rows) == 1
    assert isinstance(failed.exception(30), InputError)
    closing.join(30)
    assert not closing.is_alive()
