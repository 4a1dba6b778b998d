"""What pyproject.toml lists is what is imported: the core by what answers, extras by the stream, tests and benches."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from igarape.learners.predictor import KINDS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ANSWERING = (
    "cli",
    "serving",
    "stages.history",
    "stages.predict",
    "stages.promote",
    "stages.rollback",
    "stages.serve",
)

# Nobody imports these, and somebody loads them.
CODECS = {"imagecodecs": "tifffile decodes compressed TIFs with it"}
TOOLS = {
    "tf2onnx": "Keras exports networks with it",
}
HANDED_ON = {"ray", "cloudpickle"}  # imported where tasks are handed to others, by what also answers
ELSEWHERE = {"iterstrat": "iterative-stratification", "skimage": "scikit-image"}  # where bench is not installed
BENCH = {"tensorboard": "keras-tuner's own loop, which a bench compares with, imports it"}


def listed(requirements: Iterable[str]) -> set[str]:
    """Return the names of requirements, as indexes spell them; an extra of igarape's own is what that lists."""
    names: set[str] = set()
    for requirement in map(Requirement, requirements):
        if requirement.name == PROJECT["name"]:
            names |= set().union(*(listed(EXTRAS[extra]) for extra in requirement.extras))
        else:
            names.add(canonicalize_name(requirement.name))
    return names


EXTRAS: Mapping[str, list[str]] = PROJECT["optional-dependencies"]
CORE = listed(PROJECT["dependencies"])
TRAIN = listed(EXTRAS["train"])
EVERY = CORE.union(*map(listed, EXTRAS.values()))
# Extras of what not everybody has: `make setup` installs all but Kaggle's client.
APART = set[str]().union(*(listed(EXTRAS[extra]) for extra in ("cluster", "kaggle", "s3", "sites")))
PROVIDERS = packages_distributions()


def distributions(modules: Iterable[str]) -> set[str]:
    """Return what has to be installed for imports: of several distributions of one package, one that is listed.

    What is not installed here, as kaggle may be, goes by the name of its module, or by that in ELSEWHERE.
    """
    found: set[str] = set()
    for package in {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names):
        names = PROVIDERS.get(package, [ELSEWHERE.get(package, package)])
        providers = {canonicalize_name(name) for name in names}
        found |= providers & EVERY or {min(providers)}
    return found


def imported_by_files(paths: Iterable[Path]) -> set[str]:
    """Return the packages that files import; not those of ours, which lie beside them or in src."""
    files = list(paths)
    own = {PROJECT["name"]} | {path.stem for path in files}
    found: set[str] = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - own


@pytest.fixture(scope="module")
def imported(graph: grimp.ImportGraph) -> set[str]:
    """Return what has to be installed for all of src."""
    return distributions(module for module in graph.modules if module.partition(".")[0] != PROJECT["name"])


@pytest.fixture(scope="module")
def answering(graph: grimp.ImportGraph) -> set[str]:
    """Return what has to be installed for answering: what igarape.serving and its commands import, however indirectly.

    The command line imports every stage when that is asked for, so that it counts for what it imports itself.
    """
    roots = {f"{PROJECT['name']}.{name}" for name in ANSWERING}
    assert roots <= graph.modules, f"no such modules: {sorted(roots - graph.modules)}"
    cli = f"{PROJECT['name']}.cli"
    modules = set(graph.find_modules_directly_imported_by(cli))
    # What opens fold models is loaded by its name.
    for root in {*roots - {cli}, *KINDS.values()}:
        modules |= graph.find_upstream_modules(root, as_package=True)
    return distributions(module for module in modules if module.partition(".")[0] != PROJECT["name"])


def test_the_core_is_what_answers(answering: set[str]) -> None:
    """Not less, or `igarape predict` would fail where only igarape is installed; not more, TensorFlow least of all."""
    assert CORE - set(CODECS) == answering - HANDED_ON


def test_train_is_what_the_stream_imports_besides(imported: set[str]) -> None:
    """Not less, and not more but for the tools that are named here, and what has an extra of its own."""
    assert TRAIN - set(TOOLS) == imported - CORE - (APART - TRAIN)


def test_all_that_is_imported_is_listed(imported: set[str]) -> None:
    """Nothing in src leans on what another package happens to bring."""
    assert imported <= EVERY


def test_what_tests_and_benches_import_is_in_their_extras() -> None:
    """Tests need dev; benches need bench and, for what they share with tests, dev."""
    tests, benches = list(ROOT.glob("tests/**/*.py")), list(ROOT.glob("bench/*.py"))
    studies = ROOT.glob("studies/*.py")
    # Tests import helpers beside them, benches and studies; benches, helpers.
    beside = imported_by_files([*tests, *benches, *studies])
    assert distributions(beside) <= CORE | listed(EXTRAS["dev"]) | listed(EXTRAS["bench"]) | APART
    assert listed(EXTRAS["bench"]) - TRAIN - set(BENCH) <= distributions(imported_by_files(benches))


def test_a_tool_is_named_only_where_it_is_listed_and_not_imported(imported: set[str], answering: set[str]) -> None:
    """The lists of exceptions above hold no name that they need not."""
    assert set(CODECS) <= CORE - answering
    assert set(TOOLS) <= TRAIN - imported
    assert set(BENCH) <= listed(EXTRAS["bench"])


def test_extras_hold_train() -> None:
    """Who develops, measures or has a graphics card can run the stream."""
    for extra in ("dev", "bench", "gpu"):
        assert listed(EXTRAS[extra]) >= TRAIN, extra


def test_the_lock_holds_what_is_listed_and_names_no_place() -> None:
    """What `make setup` installs is pinned and hashed; no index and no folder is named."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==\S+ \\$", text, flags=re.MULTILINE)}
    wanted = CORE.union(*(listed(EXTRAS[extra]) for extra in ("train", "dev", "bench")))
    assert sorted(wanted - pinned) == [], "type: make lock"
    assert not re.search(r"://|^-|^[^#\n]* @ ", text, flags=re.MULTILINE)


def test_the_pythons_are_the_same_everywhere() -> None:
    """requires-python, the classifiers, python_env.yaml and ruff speak of the same Pythons; so does the workflow."""
    said = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), flags=re.MULTILINE)
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert said == [series for series in (f"3.{minor}" for minor in range(40)) if f"{series}.0" in allowed]
    environment = yaml.safe_load((ROOT / "python_env.yaml").read_text(encoding="utf-8"))
    assert environment == {"python": said[0], "dependencies": ["-r requirements.lock"]}
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tools["ruff"]["target-version"] == f"py{said[0].replace('.', '')}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"PYTHON ?= python{said[0]}\n" in makefile
    assert f" in {'|'.join(said)})" in makefile
