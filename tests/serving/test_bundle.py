"""A bundle is whole, in native formats, and answers what the pipeline's own parts answer."""

import hashlib
import json
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifs
from PIL import Image

from igarape.chips.dehaze import dehaze
from igarape.chips.nir import planes
from igarape.chips.pictures import Pixels, bands, decode, encode_jpeg, resize, to_size
from igarape.ensemble.decision import Rule
from igarape.ensemble.linear import Linear, columns
from igarape.ensemble.stacker import Stacker
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.learners.networks.merging import merge
from igarape.learners.predictor import Predictor
from igarape.serving.assembly import BundleSpec, build_bundle
from igarape.serving.bundle import Bundle
from igarape.serving.manifest import Learner

BOTH = pytest.mark.parametrize("folder", ["bundle_folder", "tabular_bundle_folder"])


def encoded(image: Pixels, kind: str) -> bytes:
    """Encode a picture in Pillow's format of that name."""
    file = BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def rebuild(bundle: Path, folder: Path, stacker: Path | None = None) -> None:
    """Build the bundle once more from its own parts, or with another stack."""
    loaded = Bundle.load(bundle)
    manifest = loaded.manifest
    learners = [
        learner.model_copy(update={"files": tuple(str(bundle / file) for file in learner.files)})
        for learner in manifest.learners
    ]
    shared = BundleSpec(
        dataset=manifest.dataset,
        size=manifest.size,
        reading=manifest.reading.model_dump(),
        dehaze=manifest.dehaze,
        nir=manifest.nir.model_dump() if manifest.nir else None,
        reference=manifest.reference,
        rule=Rule.from_json(manifest.rule.model_dump(), Vocabulary(**manifest.vocabulary.model_dump())),
        alerts=manifest.alerts,
        views=manifest.views,
        novelty=loaded.novelty,
        merge=merge,
    )
    build_bundle(folder, shared, learners=learners, stacker=stacker or bundle / "stacker")


def digests(folder: Path) -> dict[str, str]:
    """Return each file's hash by its path in the folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@BOTH
def test_it_answers_what_the_pipeline_answers(
    folder: str, request: pytest.FixtureRequest, images: list[Pixels]
) -> None:
    """Step by step: store the dehazed chip as a JPEG, load at each learner's size, predict, stack, decide."""
    bundle_folder: Path = request.getfixturevalue(folder)
    chips = [encode_jpeg(image, 95) for image in images]
    manifest = json.loads((bundle_folder / "bundle.json").read_text())
    quality = manifest["dehaze"].pop("quality")
    seen = {"raw": [decode(chip, "") for chip in chips]}
    packed = [encode_jpeg(dehaze(image, **manifest["dehaze"])[0], quality) for image in seen["raw"]]
    seen["dehazed"] = [decode(data, "") for data in packed]
    each = {}
    for learner in manifest["learners"]:
        sized = np.stack([resize(image, learner["size"]) for image in seen[learner["chips"]]])
        paths = [bundle_folder / file for file in learner["files"]]
        each[learner["name"]] = Predictor(paths).predict(sized, tta=learner["tta"], batch=2)
    p = Stacker.load(bundle_folder / "stacker").predict(each)
    bundle = Bundle.load(bundle_folder)
    answer = bundle.answer(chips)
    labels = bundle.vocabulary.labels
    np.testing.assert_allclose(answer[[f"p_{label}" for label in labels]], p, atol=1e-6)
    held = Rule.from_json(manifest["rule"], bundle.vocabulary).apply(p)
    assert list(answer["tags"]) == [bundle.vocabulary.decode(row) for row in held]
    assert list(answer.columns) == ["tags", "expected_f2", "warning", *(f"p_{label}" for label in labels)]


def test_the_dehazed_learner_sees_dehazed_pictures(bundle_folder: Path, images: list[Pixels], tmp_path: Path) -> None:
    """The same bundle without dehazing answers otherwise."""
    copy = tmp_path / "bundle"
    shutil.copytree(bundle_folder, copy)
    text = (copy / "bundle.json").read_text()
    (copy / "bundle.json").write_text(text.replace('"chips": "dehazed"', '"chips": "raw"'))
    with_haze, without = Bundle.load(copy).probabilities(images), Bundle.load(bundle_folder).probabilities(images)
    assert np.abs(with_haze - without).max() > 0.001


def test_a_picture_is_answered_alone_as_in_a_batch(bundle_folder: Path, images: list[Pixels]) -> None:
    """Who else is in the request does not matter; nobody gives an empty table with the same columns."""
    bundle = Bundle.load(bundle_folder)
    together = bundle.tag(images)
    alone = pd.concat([bundle.tag([image]) for image in images], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone, atol=1e-6)
    assert len(bundle.tag([])) == 0
    assert list(bundle.tag([]).columns) == list(together.columns)


def test_png_and_tif_are_answered_as_their_pixels(bundle_folder: Path, images: list[Pixels]) -> None:
    """Both keep the pixels, so the answer is that of the decoded picture to the bit."""
    bundle = Bundle.load(bundle_folder)
    for kind in ("PNG", "TIFF"):
        answer = bundle.answer([encoded(image, kind) for image in images])
        pd.testing.assert_frame_equal(answer, bundle.tag(images), check_exact=True)


def test_a_bad_picture_is_one_error_that_names_its_row(bundle_folder: Path, images: list[Pixels]) -> None:
    """A wrong size and bytes that are no picture are told apart."""
    bundle, good = Bundle.load(bundle_folder), encode_jpeg(images[0], 95)
    with pytest.raises(InputError, match=r"row 1: expected 16 x 16, found 32 x 24.*toy"):
        bundle.answer([good, encoded(np.zeros((24, 32, 3), dtype=np.uint8), "PNG")])
    with pytest.raises(InputError, match="row 2: expected a JPEG, PNG or TIF"):
        bundle.answer([good, good, b"hello"])
    with pytest.raises(InputError, match="row 0: "):
        bundle.answer([good[: len(good) // 2]])


def test_it_holds_native_formats_only(bundle_folder: Path, tabular_bundle_folder: Path) -> None:
    """JSON, ONNX, NumPy's arrays and, for trees, XGBoost's binary JSON: nothing that runs code when it is loaded."""
    networks, trees = (
        {path.suffix for path in folder.rglob("*") if path.is_file()}
        for folder in (bundle_folder, tabular_bundle_folder)
    )
    assert networks == {".json", ".npz", ".onnx"}
    assert trees == networks | {".ubj"}


@BOTH
def test_the_same_parts_give_the_same_bytes(folder: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """DVC sees no change where there is none; a bundle that was there before is replaced, stale files too."""
    bundle_folder: Path = request.getfixturevalue(folder)
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/stale.onnx").touch()
    rebuild(bundle_folder, tmp_path / "bundle")
    assert digests(tmp_path / "bundle") == digests(bundle_folder)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("idle", ["plain", "leafy"])
def test_learners_that_no_answer_depends_on_are_left_out(
    nir_bundle_folder: Path, images: list[Pixels], tif_files: list[bytes], tmp_path: Path, idle: str
) -> None:
    """By name, with their files, and the need for near-infrared with the one that saw it; the answers stay."""
    full = Stacker.load(nir_bundle_folder / "stacker")
    used = [name != idle for name, _ in columns(full.learners)]
    linear = Linear("logits", np.eye(5)[[*range(5), *range(5)]] * np.array(used)[:, None], np.linspace(-1, 1, 5))
    stacker = Stacker("blend", full.labels, full.learners, linear)
    stacker.save(tmp_path / "stacker")
    rebuild(nir_bundle_folder, tmp_path / "bundle", tmp_path / "stacker")
    bundle, whole = Bundle.load(tmp_path / "bundle"), Bundle.load(nir_bundle_folder)
    assert bundle.manifest.left_out == (idle,)
    assert idle not in {learner.name for learner in bundle.manifest.learners}
    assert not (tmp_path / "bundle/learners" / idle).exists()
    assert bundle.needs_nir == (idle == "plain")
    made = [whole.decode_nir(data, "tif") for data in tif_files]
    seen = {"plain": np.stack(images), "leafy": np.stack([resize(image, 8) for image in made])}
    each = {name: whole._predictors[name].predict(seen[name], tta=True, batch=64) for name in seen}
    p = bundle.probabilities(images, made if bundle.needs_nir else None)
    np.testing.assert_array_equal(p, stacker.predict(each))


def test_many_pictures_are_answered_as_few(bundle_folder: Path, images: list[Pixels]) -> None:
    """In batches, the last of which is shorter."""
    bundle = Bundle.load(bundle_folder)
    answer = bundle.probabilities(images * 14)
    np.testing.assert_allclose(answer, np.tile(bundle.probabilities(images), (14, 1)), atol=1e-6)


def test_a_build_that_fails_leaves_the_old_bundle(bundle_folder: Path, tmp_path: Path) -> None:
    """A missing fold model breaks the build, not what stands."""
    rebuild(bundle_folder, tmp_path / "bundle")
    manifest = Bundle.load(bundle_folder).manifest
    lost = Learner(name="lost", chips="raw", size=8, labels=("sun",), tta=False, files=("nowhere.onnx",))
    shared = BundleSpec(
        dataset="toy",
        size=16,
        reading=manifest.reading.model_dump(),
        dehaze=manifest.dehaze,
        nir=None,
        rule=Rule("fixed", Vocabulary(exclusive=(), alone=(), common=("sun",), rare=()), 2.0, threshold=0.2),
        alerts={},
        views=8,
        novelty=None,
        merge=merge,
    )
    with pytest.raises(FileNotFoundError):
        build_bundle(tmp_path / "bundle", shared, learners=[lost], stacker=bundle_folder / "stacker")
    assert digests(tmp_path / "bundle") == digests(bundle_folder)


def test_near_infrared_goes_to_the_learner_that_sees_it(
    nir_bundle_folder: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """Step by step: planes of each TIF by the manifest's white, at the learner's size; the other one sees pictures."""
    manifest = json.loads((nir_bundle_folder / "bundle.json").read_text())
    made = [planes(bands(data, "tif"), white=manifest["nir"]["white"]) for data in tif_files]
    each = {}
    for learner, seen in zip(manifest["learners"], (images, made), strict=True):
        sized = np.stack([resize(image, learner["size"]) for image in seen])
        paths = [nir_bundle_folder / file for file in learner["files"]]
        each[learner["name"]] = Predictor(paths).predict(sized, tta=learner["tta"], batch=2)
    p = Stacker.load(nir_bundle_folder / "stacker").predict(each)
    bundle = Bundle.load(nir_bundle_folder)
    assert bundle.needs_nir
    answer = bundle.answer([encoded(image, "PNG") for image in images], tif_files)
    np.testing.assert_allclose(answer.filter(like="p_"), p, atol=1e-6)
    pd.testing.assert_frame_equal(bundle.tag(images, made), answer)


def test_near_infrared_that_is_missing_or_unfit_is_one_error(
    nir_bundle_folder: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """None at all, one too few, another size, three bands; nothing is made up in its place."""
    bundle, chips = Bundle.load(nir_bundle_folder), [encoded(image, "PNG") for image in images]
    with pytest.raises(
        InputError, match=r"near-infrared too: expected a TIF .* each of 5 pictures, found 0.*--nir FOLDER"
    ):
        bundle.answer(chips)
    with pytest.raises(InputError, match="each of 5 pictures, found 4"):
        bundle.answer(chips, tif_files[1:])
    with pytest.raises(InputError, match="row 1, nir: expected 16 x 16, found 8 x 9"):
        bundle.answer(chips[:2], [tif_files[0], tifs.written(np.zeros((9, 8, 4), np.uint16))])
    with pytest.raises(InputError, match="row 0, nir: expected a TIF of four bands"):
        bundle.answer(chips[:1], [tifs.written(np.zeros((16, 16, 3), np.uint16))])


def test_a_bundle_that_sees_pictures_only_takes_no_near_infrared(
    bundle_folder: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """Whoever sends it should know that it would make no difference."""
    bundle = Bundle.load(bundle_folder)
    assert not bundle.needs_nir
    with pytest.raises(InputError, match="row 0, nir: the model sees pictures only"):
        bundle.answer([encoded(image, "PNG") for image in images], tif_files)


def test_it_is_used_without_tensorflow(bundle_folder: Path, tabular_bundle_folder: Path) -> None:
    """Loading and answering, through the MLflow model too, imports neither TensorFlow nor Keras nor DVC."""
    program = (
        "import sys, numpy, pathlib, igarape.serving.pyfunc\n"
        "from igarape.serving.bundle import Bundle\n"
        "for folder in sys.argv[1:]:\n"
        "    assert len(Bundle.load(pathlib.Path(folder)).tag([numpy.zeros((16, 16, 3), numpy.uint8)])) == 1\n"
        "print(sorted({'tensorflow', 'keras', 'dvc'} & set(sys.modules)))\n"
    )
    words = [sys.executable, "-c", program, str(bundle_folder), str(tabular_bundle_folder)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_pictures_are_read_as_the_data_sets_were(bundle_folder: Path, tmp_path: Path, images: list[Pixels]) -> None:
    """Where the data set brings chips of several sizes to one, so does the bundle; else another size is refused."""
    wide = np.concatenate([images[0], images[1]], axis=1)
    data = encode_jpeg(wide, 95)
    with pytest.raises(InputError, match=r"row 0: expected 16 x 16, found 32 x 16\. Send chips of .* toy has"):
        Bundle.load(bundle_folder).answer([data])
    shutil.copytree(bundle_folder, tmp_path / "fitting")
    content = json.loads((bundle_folder / "bundle.json").read_text())
    content["reading"]["resize"] = "fit"
    (tmp_path / "fitting/bundle.json").write_text(json.dumps(content))
    fitting = Bundle.load(tmp_path / "fitting")
    assert (fitting.decode(data, "wide").image == to_size(decode(data, "wide"), 16, resize="fit")).all()
    assert len(fitting.answer([data])) == 1


def test_alerts_stand_beside_the_tags_where_there_are_any(
    alert_bundle_folder: Path, images: list[Pixels], tmp_path: Path
) -> None:
    """Those that go off, written as tags are, from the threshold on."""
    bundle = Bundle.load(alert_bundle_folder)
    answer = bundle.tag(images)
    told = ["tags", "alerts", "expected_f2", "warning"]
    assert list(answer.columns) == bundle.columns == [*told, *(f"p_{x}" for x in bundle.vocabulary.labels)]
    assert list(answer["alerts"]) == ["kiln"] * len(images)
    assert list(bundle.tag([]).columns) == bundle.columns
    shutil.copytree(alert_bundle_folder, tmp_path / "bundle")
    content = json.loads((tmp_path / "bundle/bundle.json").read_text())
    p = answer["p_kiln"].to_numpy()
    content["alerts"]["kiln"]["threshold"] = between = float(np.sort(p)[1:3].mean())
    (tmp_path / "bundle/bundle.json").write_text(json.dumps(content))
    found = Bundle.load(tmp_path / "bundle").tag(images)
    assert list(found["alerts"]) == ["kiln" if one >= between else "" for one in p]
    pd.testing.assert_frame_equal(found.drop(columns="alerts"), answer.drop(columns="alerts"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_the_sides_that_a_picture_had_are_kept(bundle_folder: Path, kind: str) -> None:
    """Width first, as it stands upright: how the camera was held is no part of it."""
    bundle = Bundle.load(bundle_folder)
    reading = bundle.manifest.reading.model_copy(update={"resize": "fit"})
    bundle.manifest = bundle.manifest.model_copy(update={"reading": reading})
    wide = np.random.default_rng(1).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    turned = BytesIO()
    exif = Image.Exif()
    exif[274] = 6  # the orientation: a quarter turn
    Image.fromarray(wide).save(turned, "JPEG", exif=exif)
    for data, sides in ((encoded(wide, kind), (40, 20)), (turned.getvalue(), (20, 40))):
        seen = bundle.decode(data, "chip")
        assert (seen.sent, seen.nir, seen.image.shape) == (sides, None, (16, 16, 3))


def test_what_is_odd_about_a_picture_is_said_and_changes_no_answer(bundle_folder: Path, tmp_path: Path) -> None:
    """Noise is usual for this bundle, one colour is not; a bundle that knows nothing says less, and answers as much."""
    bundle = Bundle.load(bundle_folder)
    noise = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    flat = np.full_like(noise, 99)
    assert bundle.ood([flat, noise])[0] == 1.0 > bundle.ood([noise])[0]
    answer = bundle.tag([noise, flat], sent=[(40, 20), (16, 16)])
    resized, odd = answer["warning"]
    assert resized == "the picture is 40 x 20 pixels and was resized to 16 x 16"
    far = "the picture is far from the training data, farther than 100.0% of the hold-out"
    assert odd.split("; ") == ["the picture shows one colour only", far]
    shutil.copytree(bundle_folder, tmp_path / "bundle")
    content = json.loads((bundle_folder / "bundle.json").read_text())
    (tmp_path / "bundle" / content["novelty"]).unlink()
    del content["files"][content["novelty"]]
    (tmp_path / "bundle/bundle.json").write_text(json.dumps(content | {"novelty": None}))
    without = Bundle.load(tmp_path / "bundle")
    with pytest.raises(InputError, match="does not say what is usual of pictures"):
        without.ood([noise])
    silent = without.tag([noise, flat])
    assert list(silent["warning"]) == ["", "the picture shows one colour only"]
    pd.testing.assert_frame_equal(silent.drop(columns="warning"), answer.drop(columns="warning"))
