"""What people see of an answer: the chip without haze, and where each learner looked."""

import asyncio
import base64
from functools import partial
from typing import Any

from igarape.chips.pictures import Pixels, encode_jpeg, encode_png
from igarape.serving.bundle import Bundle, DecodedChip, pictures_and_nir
from igarape.serving.manifest import Learner
from igarape.serving.occlusion import occlusion

GRID = 8  # cells a side: 65 pictures a learner are asked about
QUALITY = 90
DIGITS = 4


async def explain(bundle: Bundle, chip: DecodedChip) -> dict[str, Any]:
    """Return the chip without haze, and for each learner what it saw and where: see occlusion.

    A learner answers by one view here, not eight: a covered part would else be covered in eight places. They are asked
    one after the other, each in a thread: for whoever has left, only the one that is being asked is waited for.

    dehazed: a data URL. learners: of each its name, what it sees (chips), that as a data URL (picture), and by label
    how much the logit falls when a cell is covered (falls, GRID rows of GRID numbers).
    """
    seen = await asyncio.to_thread(bundle.inputs, *pictures_and_nir([chip]))
    learners = [
        await asyncio.to_thread(_look, bundle, learner, seen[learner.chips][0]) for learner in bundle.manifest.learners
    ]
    return {"dehazed": data_url(await asyncio.to_thread(bundle.dehaze, chip.image)), "learners": learners}


def _look(bundle: Bundle, learner: Learner, picture: Pixels) -> dict[str, Any]:
    """Return what explain tells of a learner."""
    falls = occlusion(partial(bundle.predict_learner, learner), picture, grid=GRID)
    return {
        "name": learner.name,
        "chips": learner.chips,
        "picture": data_url(picture),
        "falls": dict(zip(learner.labels, falls.round(DIGITS).tolist(), strict=True)),
    }


def preview(image: Pixels) -> str:
    """Return a picture without loss as an address that holds all of it."""
    return f"data:image/png;base64,{base64.b64encode(encode_png(image)).decode()}"


def data_url(image: Pixels) -> str:
    """Return a picture as an address that holds all of it."""
    return f"data:image/jpeg;base64,{base64.b64encode(encode_jpeg(image, QUALITY)).decode()}"
