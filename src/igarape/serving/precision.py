"""A bundle whose networks compute in 8-bit integers, made of one in 32-bit floats."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from igarape.chips.pictures import Pixels, resize
from igarape.files import atomic_path, write_json
from igarape.learners.novelty import sampled
from igarape.progress import Report
from igarape.serving.assembly import NETWORK
from igarape.serving.bundle import Bundle, pictures_and_nir
from igarape.serving.holdout import PackedChips
from igarape.serving.manifest import MANIFEST, list_files

Quantise = Callable[[Path, Path, Pixels], bool]

CHIPS = 128  # of the folds, by which values get their ranges


def quantised(
    bundle: Bundle, known: Sequence[str], quantise: Quantise, *, packed: PackedChips, threads: int, report: Report
) -> Bundle:
    """Replace a bundle's networks on the disk, and return the bundle that is there then.

    Trees, kernel machines, Fisher vectors and probes stay as they are. The manifest says who computes in integers.

    Parameters
    ----------
    bundle
        The bundle in floats, which goes on answering as before.
    known
        The chips of the folds, by some of which it is calibrated. The hold-out has no part in it.
    quantise
        Writes a network in 8-bit integers, as learners.networks.quantisation.quantise.
    packed
        Their pictures.
    threads
        As Bundle.load has it.
    report
        Called with (networks done, of how many).
    """
    chips = bundle.inputs(*pictures_and_nir([packed.load(bundle, name) for name in sampled(known, CHIPS)]))
    with atomic_path(bundle.folder) as unfinished:
        shutil.copytree(bundle.folder, unfinished)
        names = []
        networks = [learner for learner in bundle.manifest.learners if learner.files[0].endswith(NETWORK)]
        for done, learner in enumerate(networks, start=1):
            images = np.stack([resize(image, learner.size) for image in chips[learner.chips]])
            (file,) = learner.files
            if quantise(bundle.folder / file, unfinished / file, images):
                names.append(learner.name)
            report(done, len(networks))
        changed = {"quantised": tuple(names), "files": list_files(unfinished)}
        write_json(bundle.manifest.model_copy(update=changed).model_dump(mode="json"), unfinished / MANIFEST)
        shutil.rmtree(bundle.folder)
    return Bundle.load(bundle.folder, threads=threads)
