"""The project: the source of its chips, the weights that its experiments name, its versions, what lies unsent."""

import os

from igarape.chips.sources.places import on_disk
from igarape.config.datasets import FolderSource, data_root, read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.network_kinds import Network, Probe
from igarape.config.params import read_params
from igarape.errors import counted, some
from igarape.findings import Finding, good, warning, wrong
from igarape.learners.networks.weights import FILE, find_imagenet, keras_cache
from igarape.serving.advice import how_to_promote
from igarape.serving.registry import CHALLENGER, CHAMPION, aliases_of, client_of, model_name, versions_of
from igarape.tracking.lineage import packed_dataset
from igarape.tracking.outbox import left_behind
from igarape.workspace import Workspace


def source(workspace: Workspace) -> Finding:
    """Look for the data set's chips and tags; archives are not opened."""
    name = read_params(workspace.params).dataset
    dataset = read_dataset(name, workspace.datasets)
    if not isinstance(dataset.source, FolderSource):
        return good(f"{name}: {counted(dataset.source.chips, 'chip is', 'chips are')} drawn")
    root = data_root()
    for what, paths in (("pictures", dataset.source.images), ("tags", dataset.source.tags)):
        if paths and not any(any(on_disk(root, path.split("/"))) for path in paths):
            said = f"{name}: no {what} in IGARAPE_DATA={root}; looked for {', '.join(paths)}"
            if workspace.catalog().exists() and packed_dataset(workspace.root) in {None, name}:
                return warning(f"{said}. They are packed in {workspace.chips('raw')}; only ingest needs them")
            fetch = f"igarape fetch {name}" if dataset.fetch else "export IGARAPE_DATA=FOLDER, or see docs/data.md"
            return wrong(f"{said}. Type: {fetch}")
    return good(f"{name}: pictures and tags are in {root}")


def weights(workspace: Workspace) -> Finding:
    """Look for the published weights of all listed experiments, and read the experiments."""
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    vocabulary = dataset.labels.vocabulary()
    experiments = read_experiments(params.experiments, vocabulary, workspace.experiments, nir=bool(dataset.tifs))
    wanted = {
        each.backbone if isinstance(each, Network) else each.features
        for each in experiments.values()
        if isinstance(each, Network | Probe) and each.weights == "imagenet"
    }
    if missing := sorted(name for name in wanted if find_imagenet(name) is None):
        place = os.environ.get("IGARAPE_WEIGHTS") or keras_cache()
        return warning(
            f"{some([FILE.format(name) for name in missing])}: not in {place}; Keras will download them. Where this "
            f"machine reaches nothing, put them into {place}"
        )
    published = some(sorted(wanted)) if wanted else "none"
    return good(f"{counted(len(experiments), 'experiment')}; {published} from published weights")


def registry(workspace: Workspace) -> Finding:
    """Say which versions there are, and which is champion."""
    name = model_name(read_params(workspace.params).dataset)
    aliases = aliases_of(name, workspace.root)
    if not aliases:
        return good(f"{name}: no version yet; register makes the first")
    if CHAMPION not in aliases:
        with client_of(name, workspace.root) as client:
            known = versions_of(client, name)
        return warning(f"{name}: no champion. {how_to_promote(name, aliases, known, workspace.root)}")
    return good(f"{name}: champion {aliases[CHAMPION]}, challenger {aliases.get(CHALLENGER, 'none')}")


def unsent(workspace: Workspace) -> Finding:
    """Look for what MLflow has not been told."""
    if left := left_behind(workspace.outbox, "*"):
        names = some([folder.name for folder in left])
        return warning(f"{names} in {workspace.outbox}: of steps at work, or not sent. If none is: igarape send")
    return good("nothing lies unsent")
