"""Versions of a small model to be compared, and the project that has packed the chips which they answer."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import yaml
from click.testing import CliRunner
from mlflow import MlflowClient
from mlflow.cli import gc

from igarape.chips.fingerprints import fingerprint, fingerprint_table
from igarape.chips.pictures import Pixels, decode, encode_jpeg
from igarape.chips.shards import open_shard
from igarape.config.params import Params, read_params
from igarape.files import fresh_folder
from igarape.scores.answers import TABLE, Answers
from igarape.serving.bundle import Bundle
from igarape.serving.history import history
from igarape.serving.promotion import promote
from igarape.serving.registration import register
from igarape.serving.registry import model_name
from igarape.tables import HOLDOUT, label_columns, write_table
from igarape.tracking.address import connected, new_experiment
from igarape.workspace import Workspace

NAME = model_name("toy")


def pack(here: Workspace, pictures: Sequence[Pixels], y: np.ndarray, labels: Sequence[str]) -> list[Pixels]:
    """Pack pictures as ingest does; return them as they are read again."""
    folder = fresh_folder(here.chips("raw"))
    ids = [f"chip-{row:03d}" for row in range(len(pictures))]
    files = [encode_jpeg(picture, 95) for picture in pictures]
    with open_shard(folder / "shard-00000.tar") as shard:
        places = [(name, "train", *shard.add(name, data), name) for name, data in zip(ids, files, strict=True)]
    catalog = pd.DataFrame(places, columns=["image_id", "split", "shard", "offset", "length", "group"])
    catalog[label_columns(labels)] = y.astype(np.uint8)
    write_table(catalog, folder / "catalog.parquet")
    read = [decode(data, "chip") for data in files]
    prints = fingerprint_table({name: fingerprint(image) for name, image in zip(ids, read, strict=True)})
    write_table(prints, folder / "fingerprints.parquet")
    return read


def answers_of(bundle: Path, pictures: Sequence[Pixels]) -> Answers:
    """Ask a bundle about pictures, all held out. What it answers is true, and the likeliest three have a kiln too."""
    opened = Bundle.load(bundle, threads=1)
    p = opened.probabilities(pictures, list(pictures) if opened.needs_nir else None)
    answers = opened.rule.apply(p)
    y = answers.copy()
    y[p[:, -1].argsort()[-3:], -1] = True
    return Answers(
        dataset="toy",
        labels=opened.vocabulary.labels,
        image_ids=[f"chip-{row:03d}" for row in range(len(pictures))],
        groups=[f"chip-{row:03d}" for row in range(len(pictures))],
        pixels=np.array([fingerprint(picture).pixels for picture in pictures]),
        folds=np.full(len(pictures), HOLDOUT),
        y=y,
        p=p,
        answers=answers,
    )


def compete(here: Workspace, bundle: Path, pictures: Sequence[Pixels]) -> None:
    """Pack pictures, and register the bundle, which is right about nearly all of them, and one that is not.

    Version 1 knows the first 36 chips, of which it learned from the last 12; version 2 was scored on the first 24.
    """
    settle(here.root)
    read = pack(here, pictures, np.zeros((len(pictures), 5)), Bundle.load(bundle, threads=1).vocabulary.labels)
    right = answers_of(bundle, read)
    folds = np.where(np.arange(len(read)) < 24, HOLDOUT, np.arange(len(read)) % 2)
    known = replace(right, folds=folds).rows(np.arange(len(read)) < 36)
    enroll(here, bundle, known)
    enroll(here, ruled(bundle, here.root / "other", 0.95), worse(known))


def ruled(bundle: Path, into: Path, threshold: float) -> Path:
    """Copy a bundle, and give it another threshold: the same probabilities, other tags."""
    shutil.copytree(bundle, into)
    manifest = json.loads((into / "bundle.json").read_text(encoding="utf-8"))
    manifest["rule"]["threshold"] = threshold
    (into / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    return into


def enroll(here: Workspace, bundle: Path, answers: Answers, *, name: str = NAME) -> str:
    """Register a bundle with its answers; return the version."""
    table = here.root / TABLE
    write_table(answers.table(), table)
    experiment = new_experiment("igarape/register", MlflowClient(), mlflow.get_tracking_uri())
    with mlflow.start_run(experiment_id=experiment) as run:
        return register(bundle, table, name=name, tags={}, description="small", run_id=run.info.run_id).version


def sweep(here: Workspace, version: str) -> None:
    """Delete the run that a version was registered by, and let MLflow remove for good what is deleted."""
    with connected(here.root) as uri:  # a copy's database names the folder that it was copied from, until it is mended
        client = MlflowClient()
        run = client.get_run(str(client.get_model_version(NAME, version).run_id)).info
        assert str(here.root.resolve()) in run.artifact_uri
        client.delete_run(run.run_id)
        done = CliRunner().invoke(gc, ["--backend-store-uri", uri])
    assert f"{run.run_id} has been permanently deleted" in done.output, done.output


def worse(answers: Answers) -> Answers:
    """Return answers of which half are wrong, and probabilities that say the contrary."""
    half = np.arange(len(answers.image_ids))[:, None] % 2 == 0
    return replace(answers, p=1 - answers.p, answers=answers.answers ^ half)


def patient() -> Params:
    """Return the project's settings for the data set toy, which bear any time: a busy machine fails no test."""
    params = read_params(Path(__file__).parents[1] / "params.yaml")
    limits = params.promote.model_copy(update={"slower": 1000.0})
    small = params.evaluate.model_copy(update={"resamples": 200})
    return params.model_copy(update={"dataset": "toy", "promote": limits, "evaluate": small})


def holders() -> dict[str, int]:
    """Return which version has which alias."""
    return {alias: int(version) for alias, version in MlflowClient().get_registered_model(NAME).aliases.items()}


def enter(count: int, *, name: str = NAME) -> None:
    """Enter some versions that nothing lies behind; the last is the challenger."""
    client = MlflowClient()
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    for _ in range(count):
        version = str(client.create_model_version(name, "s3://nowhere/model").version)
        client.set_registered_model_alias(name, "challenger", version)


def settle(folder: Path) -> None:
    """Make the limit on time in a project's params.yaml one that a busy machine keeps."""
    path = folder / "params.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["promote"]["slower"] = 1000.0
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def decide(
    here: Workspace, version: str | None = None, *, say: Callable[[str], None] = lambda _: None, **options: Any
) -> str:
    """Promote by the project's limits."""
    asked: dict[str, Any] = {"force": False, "reason": "", "dry_run": False, "say": say} | options
    return promote(here, patient(), version=version, report=lambda *_: None, **asked)


def outcomes(here: Workspace) -> list[str]:
    """Return how all verdicts came out, newest first."""
    return [line[line.index("  ", 30) :].strip() for line in history(NAME, here.root)[1:]]


def crowned(registry: Path) -> Workspace:
    """Enter two versions, the second champion in the first one's place."""
    enter(2)
    crown_second()
    return Workspace(registry)


def crown_second() -> None:
    """Make version 2 the champion, in the place of version 1."""
    client = MlflowClient()
    client.set_registered_model_alias(NAME, "champion", "2")
    client.set_registered_model_alias(NAME, "previous", "1")
