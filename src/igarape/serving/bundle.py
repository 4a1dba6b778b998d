"""The serving bundle: the whole ensemble as one folder of native formats, and the answers it gives.

bundle.json                what the parts are and how they are put together, and the hashes of all files (Manifest)
learners/E/folds.onnx      the fold models of a network, as one that gives the mean of their answers
learners/E/fold-K.*        those of another learner, under the suffix of their kind (.ubj, .npz, .fisher)
stacker/                   the meta-learner, as ensemble.stacker saves it
novelty.npz                what is usual of pictures, as learners.novelty saves it
"""

from collections.abc import Collection, Mapping, Sequence, Sized
from copy import copy
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from igarape.chips.dehaze import dehaze
from igarape.chips.nir import planes
from igarape.chips.pictures import Pixels, Resize, bands, decode, encode_jpeg, resize, to_size
from igarape.ensemble.decision import Rule
from igarape.ensemble.stacker import Stacker
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.learners.novelty import Novelty
from igarape.learners.predictor import Floats, Predictor
from igarape.learners.views import FLOAT, INTEGER, Mode, each_view, mean_view
from igarape.serving.answers import Sides, answer_table, checked, columns, warning
from igarape.serving.manifest import Learner, Manifest, check_files, read_manifest
from igarape.tables import Probabilities

Encoded = Sequence[bytes]  # JPEGs, PNGs or TIFs
BATCH = 64
# Pictures, or views of them, that go through a network at once. Of a MobileNet at 128 px, 64 take 312 MB and 5.6 ms
# each, 16 take 67 MB and 4.0 ms: what a layer gives then stays near the processor.
AT_ONCE = 16


class DecodedChip(NamedTuple):
    """A decoded picture at the bundle's size, its near-infrared where the bundle needs that, and its original sides."""

    image: Pixels
    nir: Pixels | None
    sent: Sides


def pictures_and_nir(seen: Collection[DecodedChip]) -> tuple[list[Pixels], list[Pixels] | None]:
    """Return pictures, and their near-infrared where they have any, as a bundle's methods take them."""
    return [each.image for each in seen], [each.nir for each in seen if each.nir is not None] or None


class Bundle:
    """The loaded ensemble: pictures in; probabilities and tags out, the same that the pipeline gave."""

    def __init__(self, folder: Path, manifest: Manifest, threads: int) -> None:
        """Open the models of the bundle in folder. Use Bundle.load. rule: from probabilities to labels."""
        self.folder, self.manifest = folder, manifest
        self.vocabulary = Vocabulary(**manifest.vocabulary.model_dump())
        self._stacker = Stacker.load(folder / "stacker").without(manifest.left_out)
        self.rule = Rule.from_json(manifest.rule.model_dump(), self.vocabulary)
        self._predictors = {
            learner.name: Predictor([folder / file for file in learner.files], threads=threads)
            for learner in manifest.learners
        }
        self.novelty = Novelty.load(folder / manifest.novelty) if manifest.novelty else None

    @classmethod
    def load(cls, folder: Path, *, threads: int = 0) -> "Bundle":
        """Load the bundle in folder. threads: processors that the learners may use; 0: all of them.

        Raises InputError when it is no bundle, one that another version of igarape wrote, or one whose files are not
        those that were written.
        """
        manifest = read_manifest(folder)
        check_files(folder, manifest.files)
        return cls(folder, manifest, threads)

    @property
    def needs_nir(self) -> bool:
        """Say whether a TIF with near-infrared goes with each picture."""
        return self.manifest.nir is not None

    def decode_nir(self, data: bytes, where: str) -> Pixels:
        """Make near-infrared planes, uint8 (size, size, 3), of a TIF of four bands; raise InputError as decode does."""
        if self.manifest.nir is None:
            raise InputError(f"{where}: the model sees pictures only. Send it no TIF with near-infrared")
        found = bands(data, where, self.manifest.reading.bands)
        return self._sized(planes(found, white=self.manifest.nir.white), where, "refuse")

    def decode(self, data: bytes, where: str, nir: Pixels | None = None) -> DecodedChip:
        """Decode a JPEG, PNG or TIF into RGB uint8 (size, size, 3), as the data set's chips were read.

        nir: what goes with it, by decode_nir. Raises InputError that begins with where, for what is no picture, or has
        another size where that is refused.
        """
        how = self.manifest.reading
        image = decode(data, where, bands=how.bands, white=how.white)
        return DecodedChip(self._sized(image, where, how.resize), nir, (image.shape[1], image.shape[0]))

    def decode_all(self, images: Encoded, nir: Encoded | None = None, *, first: int = 0) -> list[DecodedChip]:
        """Decode the pictures of a request, and the TIFs that go with them where needs_nir.

        Raises InputError that names the row, counted from first, and where they do not go together.
        """
        self._check_nir(images, nir)
        return [
            self.decode(data, f"row {row}", None if tif is None else self.decode_nir(tif, f"row {row}, nir"))
            for row, (data, tif) in enumerate(zip(images, nir or repeat(None), strict=False), first)
        ]

    def _sized(self, image: Pixels, where: str, resize: Resize) -> Pixels:
        """Bring a picture to the bundle's size, or refuse another one."""
        try:
            return to_size(image, self.manifest.size, resize=resize, where=where)
        except InputError as error:
            raise InputError(f"{error}. Send chips of the size that data set {self.manifest.dataset} has") from error

    def probabilities(self, images: Sequence[Pixels], nir: Sequence[Pixels] | None = None) -> Probabilities:
        """Return the stacked probabilities, float32 (n, labels), of RGB pictures, each uint8 (size, size, 3).

        nir: the planes that go with them, as decode_nir makes them, where needs_nir; InputError when they are missing.
        """
        return self.probabilities_by_views(images, nir, counts=[self.manifest.views])[self.manifest.views]

    def probabilities_by_views(
        self, images: Sequence[Pixels], nir: Sequence[Pixels] | None = None, *, counts: Sequence[int]
    ) -> dict[int, Probabilities]:
        """Return the stacked probabilities for each of some numbers of views; each view is computed once.

        Parameters
        ----------
        images, nir
            As of probabilities.
        counts
            Some of learners.views.COUNTS.
        """
        self._check_nir(images, nir)
        # A batch at a time, so that what the learners see of many pictures does not lie in memory all at once.
        parts = [slice(start, start + BATCH) for start in range(0, len(images), BATCH)]
        asked = [self._by_views(images[part], nir[part] if nir else None, counts) for part in parts]
        return {count: np.concatenate([each[count] for each in asked]) for count in counts}

    def with_views(self, count: int) -> "Bundle":
        """Return this bundle, sharing its models, with another number of views for test-time augmentation."""
        other = copy(self)
        other.manifest = self.manifest.model_copy(update={"views": count})
        return other

    @property
    def mode(self) -> Mode:
        """Return the inference mode: number of views, and precision."""
        return Mode(self.manifest.views, INTEGER if self.manifest.quantised else FLOAT)

    @property
    def uses_tta(self) -> bool:
        """Say whether a learner uses test-time augmentation."""
        return any(learner.tta for learner in self.manifest.learners)

    def _by_views(
        self, images: Sequence[Pixels], nir: Sequence[Pixels] | None, counts: Sequence[int]
    ) -> dict[int, Probabilities]:
        """Return the stacked probabilities of a batch."""
        seen = self.inputs(images, nir)
        sized = {
            (chips, size): np.stack([resize(image, size) for image in seen[chips]])
            for chips, size in {(learner.chips, learner.size) for learner in self.manifest.learners}
        }
        each = {
            learner.name: each_view(
                self._predictors[learner.name],
                sized[learner.chips, learner.size],
                count=max(counts) if learner.tta else 1,
                batch=AT_ONCE,
            )
            for learner in self.manifest.learners
        }
        stacked = self._stacker.predict
        return {count: stacked({name: mean_view(p, count) for name, p in each.items()}) for count in counts}

    def inputs(self, images: Sequence[Pixels], nir: Sequence[Pixels] | None = None) -> Mapping[str, Sequence[Pixels]]:
        """Return the learners' inputs by Learner.chips: raw, dehazed, nir; arguments and errors as of probabilities."""
        self._check_nir(images, nir)
        seen = {"raw": images} | ({"nir": nir} if nir else {})
        if any(learner.chips == "dehazed" for learner in self.manifest.learners):
            seen["dehazed"] = [self.dehaze(image) for image in images]
        return seen

    def _check_nir(self, images: Sized, nir: Sized | None) -> None:
        """Refuse pictures without their near-infrared, where a learner sees it."""
        if self.needs_nir and (nir is None or len(nir) != len(images)):
            raise InputError(
                f"the model sees near-infrared too: expected a TIF of four bands with each of {len(images)} "
                f"pictures, found {len(nir or ())}. Send them in the column nir, or by igarape predict --nir FOLDER"
            )

    def predict_learner(self, learner: Learner, images: Sequence[Pixels]) -> Probabilities:
        """Return one learner's probabilities by one view; images: its inputs, each uint8 (size, size, 3)."""
        sized = np.stack([resize(image, learner.size) for image in images])
        return self._predictors[learner.name].predict(sized, tta=False, batch=AT_ONCE)

    def dehaze(self, image: Pixels) -> Pixels:
        """Dehaze one picture, through a JPEG: the learner was trained on dehazed chips packed as such."""
        knobs: dict[str, Any] = dict(self.manifest.dehaze)
        quality = knobs.pop("quality")
        return decode(encode_jpeg(dehaze(image, **knobs)[0], quality), "dehazed picture")

    @property
    def columns(self) -> list[str]:
        """Return the columns of an answer: tags; alerts, where there are any; expected_f2; warning; p_<label>..."""
        return columns(self.vocabulary, alerts=bool(self.manifest.alerts))

    def ood(self, images: Sequence[Pixels]) -> Floats:
        """Return how novel pictures are: the share of the hold-out that lies nearer to the training data, 0..1, (n,).

        images: RGB, each uint8 (size, size, 3). Raises InputError where the bundle does not say what is usual.
        """
        if self.novelty is None:
            raise InputError("the bundle does not say what is usual of pictures. Use one that the step evaluate wrote")
        return self.novelty.ood(images)

    def tag(
        self, images: Sequence[Pixels], nir: Sequence[Pixels] | None = None, *, sent: Sequence[Sides] | None = None
    ) -> pd.DataFrame:
        """Return a table with a row for each decoded picture, and the columns that `columns` names.

        Parameters
        ----------
        images, nir
            As of probabilities.
        sent
            (width, height) of each picture before it was brought to the bundle's size; None: they had that.
        """
        if not (images := checked(images)):
            return pd.DataFrame(columns=self.columns)
        nothing = [None] * len(images)
        far = self.ood(images) if self.novelty else nothing
        said = [warning(image, sent=was, ood=ood) for image, was, ood in zip(images, sent or nothing, far, strict=True)]
        return answer_table(self.probabilities(images, nir), said, rule=self.rule, alerts=self.manifest.alerts)

    def tag_decoded(self, seen: Collection[DecodedChip]) -> pd.DataFrame:
        """Tag decoded pictures, as tag does."""
        return self.tag(*pictures_and_nir(seen), sent=[each.sent for each in seen])

    def answer(self, images: Encoded, nir: Encoded | None = None) -> pd.DataFrame:
        """Decode and tag pictures, and the TIFs that go with them where needs_nir, as tag does.

        Raises InputError that names the row, counted from 0.
        """
        return self.tag_decoded(self.decode_all(images, nir))
