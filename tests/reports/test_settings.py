"""The settings as people read them."""

from pathlib import Path

import pytest
import tiny
import yaml

from igarape.config.experiments import read_experiment, resolved_yaml
from igarape.config.hyperparameters import FisherValues, KernelValues, NetworkValues, ProbeValues, TreeValues
from igarape.config.kinds import Fisher, Kernel, Tabular
from igarape.config.network_kinds import Network, Probe
from igarape.reports.settings import differences, render_experiment, render_table


def write(folder: Path, name: str, text: str) -> None:
    """Write an experiment."""
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "hyperparameters"),
    [
        ("backbone: plain", "learning_rate: 0.0002"),
        ("backbone: tabular", "learning_rate: 0.0002"),
        ("backbone: probe\nfeatures: vgg16", "l2: 3.5"),
    ],
)
def test_what_is_shown_is_the_experiment(tmp_path: Path, kind: str, hyperparameters: str) -> None:
    """Read again, without anything to be like, it is the same; so is what lies beside a result."""
    write(tmp_path, "one", f"{kind}\nbatch: 3\nhyperparameters: {{{hyperparameters}}}\n")
    one = read_experiment("one", tmp_path)
    write(tmp_path, "shown", render_experiment("one", tmp_path))
    write(tmp_path, "resolved", resolved_yaml(one))
    assert read_experiment("shown", tmp_path) == read_experiment("resolved", tmp_path) == one


def test_what_an_experiment_that_is_like_none_changes_is_shown_against_the_defaults(tmp_path: Path) -> None:
    """What it says without changing anything is no change."""
    write(tmp_path, "one", "backbone: plain\nbatch: 3\nsize: 128\n")
    lines = render_experiment("one", tmp_path).splitlines()
    assert lines[lines.index("# What it changes of the defaults:") + 1 :] == ["#   batch: 32 -> 3"]
    write(tmp_path, "none", "like: one\n")
    assert render_experiment("none", tmp_path).endswith("# What it changes of one:\n#   nothing")


def test_differences_are_told_setting_by_setting() -> None:
    """In a file's words."""
    one, other = tiny.tiny(), tiny.tiny({"tta": {"choice": [False, True]}, "decay": 1e-5}, weights="none", chips="nir")
    assert list(differences(one, one)) == []
    assert list(differences(one, other)) == [
        ("chips", "raw", "nir"),
        ("hyperparameters.decay", "0.0", "1.0e-05"),
        ("hyperparameters.tta", "false", "{choice: [false, true]}"),
    ]


def test_the_table_holds_every_setting_with_its_description_and_default() -> None:
    """Once for each kind of learner; what has no default is to be said."""
    networks, others = render_table().split("### Boosted trees")
    trees, others = others.split("### A kernel machine")
    kernels, others = others.split("### Fisher vectors")
    vectors, probes = others.split("### A probe")
    kinds = (
        (networks, Network, NetworkValues),
        (trees, Tabular, TreeValues),
        (kernels, Kernel, KernelValues),
        (vectors, Fisher, FisherValues),
        (probes, Probe, ProbeValues),
    )
    for part, experiment, values in kinds:
        fields = {name: field for name, field in experiment.model_fields.items() if name != "hyperparameters"}
        fields |= {f"hyperparameters.{name}": field for name, field in values.model_fields.items()}
        rows = {row.split("`")[1]: row for row in part.splitlines() if row.startswith("| `")}
        assert set(rows) == set(fields)
        assert all(str(field.description) in rows[name] for name, field in fields.items())
    assert "| 0 to 0.9 | `0.2` |" in networks
    assert "| 32 to 1024, a multiple of 32 | `128` |" in networks
    assert "| `false`, `true` | `true` |" in networks
    assert "| 1 to 12, whole | `4` |" in trees
    assert "| a list of names | `[]` |" in probes


def test_a_number_is_spelled_so_that_yaml_reads_a_number(tmp_path: Path) -> None:
    """YAML takes 1e-05 for text; it is written with a point."""
    write(tmp_path, "one", "backbone: plain\nhyperparameters: {decay: 0.00001}\n")
    assert yaml.safe_load(render_experiment("one", tmp_path))["hyperparameters"]["decay"] == 1e-5
