"""bundle.json is read as this igarape writes it, and refused otherwise."""

import json
from pathlib import Path

import pytest

from igarape.errors import InputError
from igarape.serving.manifest import read_manifest


def test_what_is_no_bundle_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    """Nothing there, another schema version, or a manifest that was changed by hand."""
    with pytest.raises(InputError, match=r"bundle\.json: not found"):
        read_manifest(tmp_path)
    content = json.loads((bundle_folder / "bundle.json").read_text())
    (tmp_path / "bundle.json").write_text(json.dumps(content | {"schema_version": 7}))
    with pytest.raises(InputError, match="schema_version 7, this igarape reads 4"):
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
    with pytest.raises(InputError, match=r"schema_version 3, this igarape reads 4\. Run: dvc repro evaluate"):
        read_manifest(tmp_path)


def test_an_alert_of_no_label_is_refused(alert_bundle_folder: Path, tmp_path: Path) -> None:
    """It could never go off."""
    content = json.loads((alert_bundle_folder / "bundle.json").read_text())
    content["alerts"]["kilns"] = content["alerts"]["kiln"]
    (tmp_path / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="alerts should be of labels of the vocabulary, found kilns"):
        read_manifest(tmp_path)
