"""bundle.json is read as this igarape writes it, and refused otherwise."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.serving.manifest import check_files, list_files, read_manifest


def test_what_is_no_bundle_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    """Nothing there, another schema version, or a manifest that was changed by hand."""
    for folder, found in ((tmp_path, "none in it"), (tmp_path / "nowhere", "nothing")):
        with pytest.raises(InputError, match=f"^{folder}: expected a bundle's folder.*found {found}"):
            read_manifest(folder)
    for odd, said in (("{}", "schema_version None, this"), ("[]", "expected keys and values, found a list")):
        (tmp_path / "bundle.json").write_text(odd)
        with pytest.raises(InputError, match=said):
            read_manifest(tmp_path)
    content = json.loads((bundle_folder / "bundle.json").read_text())
    (tmp_path / "bundle.json").write_text(json.dumps(content | {"schema_version": 8}))
    with pytest.raises(InputError, match="schema_version 8, this igarape reads 7"):
        read_manifest(tmp_path)
    (tmp_path / "bundle.json").write_text(json.dumps(content | {"sise": 16}))
    with pytest.raises(InputError, match="sise  is not known; did you mean size"):
        read_manifest(tmp_path)
    (tmp_path / "bundle.json").write_text(json.dumps(content | {"nir": {"white": 9000}}))
    with pytest.raises(InputError, match="nir should stand where a learner sees near-infrared"):
        read_manifest(tmp_path)


def test_a_bundle_of_an_older_igarape_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    """Version 3 had rules of other names, and no alerts."""
    content = json.loads((bundle_folder / "bundle.json").read_text())
    del content["alerts"]
    old = content | {"schema_version": 3, "rule": {"name": "expected_f2", "threshold": None}}
    (tmp_path / "bundle.json").write_text(json.dumps(old))
    with pytest.raises(InputError, match=r"schema_version 3, this igarape reads 7\. Run: dvc repro evaluate"):
        read_manifest(tmp_path)


def test_an_alert_of_no_label_is_refused(alert_bundle_folder: Path, tmp_path: Path) -> None:
    """It could never go off."""
    content = json.loads((alert_bundle_folder / "bundle.json").read_text())
    content["alerts"]["kilns"] = content["alerts"]["kiln"]
    (tmp_path / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="alerts should be of labels of the vocabulary, found kilns"):
        read_manifest(tmp_path)


def test_each_file_is_known_by_its_hash_and_its_size(bundle_folder: Path) -> None:
    """By its path in the folder, but for the manifest itself."""
    manifest = read_manifest(bundle_folder)
    paths = [path for path in bundle_folder.rglob("*") if path.is_file() and path.name != "bundle.json"]
    assert {name: (file.sha256, file.size) for name, file in manifest.files.items()} == {
        path.relative_to(bundle_folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_size,
        )
        for path in paths
    }
    assert list_files(bundle_folder) == manifest.files
    assert {file for learner in manifest.learners for file in learner.files} < set(manifest.files)


def test_a_file_that_is_missing_changed_or_not_listed_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    """In one error that names each; nothing is opened."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundle_folder, folder)
    check_files(folder, read_manifest(folder).files)
    model = folder / "learners/plain/folds.onnx"
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    with pytest.raises(InputError, match=r"changed: learners/plain/folds\.onnx\. Take the bundle"):
        Bundle.load(folder)
    (folder / "learners/clear/folds.onnx").unlink()
    (folder / "learners/plain/more.onnx").touch()
    with pytest.raises(
        InputError,
        match=r"missing: learners/clear/folds\.onnx; changed: learners/plain/folds\.onnx; not listed: .*more\.onnx",
    ):
        Bundle.load(folder)


def test_a_model_that_has_no_hash_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    """Or a manifest changed by hand could name a file anywhere."""
    content = json.loads((bundle_folder / "bundle.json").read_text())
    content["learners"][0]["files"] = ["../elsewhere.onnx"]
    content["novelty"] = "../usual.npz"
    (tmp_path / "bundle.json").write_text(json.dumps(content))
    lacks = r"files should list each file that has a part, and lacks \.\./elsewhere\.onnx, \.\./usual\.npz"
    with pytest.raises(InputError, match=lacks):
        read_manifest(tmp_path)
