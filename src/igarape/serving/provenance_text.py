"""Where a version comes from, as a terminal shows it, with the commands that bring it back."""

from collections.abc import Iterator, Sequence
from textwrap import shorten, wrap

from igarape.errors import counted, some
from igarape.serving.advice import REGISTER, option
from igarape.serving.history import NONE, SHORT, columns
from igarape.serving.provenance import Files, Provenance
from igarape.tracking.lineage import RESULT
from igarape.tracking.recovery import Recovery

WIDTH, INDENT, SUBJECT = 120, 14, 60
UNKNOWN = "not on record"
# Of what a commit pins, what makes the numbers of a training.
MAKES = ("keras", "keras-tuner", "numpy", "opencv-python-headless", "scikit-learn", "tensorflow", "xgboost")
LEARNERS = ("learner", "F2 out of fold", "in the bundle", "search's run", "train's run")

Command = tuple[str, str]


def in_words(facts: Provenance, here: Recovery) -> str:
    """Lay out where a version comes from, and what brings it back."""
    aliases = f": {', '.join(facts.aliases)}" if facts.aliases else ""
    said = [f"{facts.name} version {facts.version}{aliases}"]
    for what, told in _facts(facts, here):
        said += wrap(f"  {what:<{INDENT}}{told}", WIDTH, subsequent_indent=" " * (INDENT + 2), break_on_hyphens=False)
    said += ["", *columns(("data", "DVC's MD5", "in DVC's cache here"), _data(facts, here))]
    if facts.learners:
        said += ["", *columns(LEARNERS, _learners(facts))]
    said += ["", *columns(("other step", "run"), list(facts.runs.items()))]
    return "\n".join([*said, "", *_recovery(facts, here)])


def commands(facts: Provenance, here: Recovery) -> list[Command]:
    """Return what to type to have a version again, each command with what it does: the stream first, then the model."""
    made = list(_stream(facts, here))
    model = f"mlflow artifacts download --artifact-uri models:/{facts.name}/{facts.version} --dst-path build/model"
    return [*made, (model, "the model alone")]


def _stream(facts: Provenance, here: Recovery) -> Iterator[Command]:
    """Yield what brings the stream back; nothing where no commit is on record."""
    locked = here.locked
    at = locked.at.commit if locked else facts.commit
    if at is None:
        return
    if locked is None and here.commit is None:
        yield "git fetch --all", "the commit is not in this clone"
    why = "its dvc.lock names this version's results" if locked else "the code and the settings"
    yield f"git checkout {at[:SHORT]}", why
    if here.packages and not here.installed:
        yield "make setup", "it pins other packages than what is checked out now"
    made = f"makes {'what has changed since' if locked else 'it'} anew, but for what DVC's run cache has"
    if locked and locked.lacking:
        lacks = f"{len(locked.lacking)} of {locked.outputs} outputs: {some(locked.lacking)}"
        if here.remote:
            yield "dvc pull", f"DVC's cache here lacks {lacks}"
        else:
            made = f"makes anew what DVC's cache here lacks, {lacks}; there is no remote to pull from"
    elif locked:
        has = "" if locked.lacking is None else f"DVC's cache here has all {locked.outputs} outputs"
        yield "dvc checkout", has
    yield "dvc repro", made


def _recovery(facts: Provenance, here: Recovery) -> list[str]:
    """Say what to type, and what this does not bring back."""
    typed = commands(facts, here)
    width = max(len(command) for command, _ in typed[:-1]) if typed[:-1] else 0
    said = ["To bring it back:", *(f"  {command:<{width}}  # {why}".rstrip(" #") for command, why in typed)]
    if facts.commit is None:
        said.append("Its commit is not on record: the stream was run without git, or registered by other means.")
    elif here.uncommitted:
        said.append(
            "The dvc.lock that lies here names its results, and is not committed yet: git add dvc.lock params.yaml && "
            "git commit"
        )
    elif here.locked is None and RESULT in facts.data:
        said.append("No dvc.lock of this clone, in a commit or not, names its results: they have to be made anew.")
    elif here.locked is None:
        said.append(f"Its results are not on record. Where data/ still holds them, this adds that: {REGISTER}")
    if facts.uncommitted and here.uncommitted:
        said.append("Beside its commit something was changed. Commit that too, while it lies here: git status")
    elif facts.uncommitted and here.locked is None:
        said.append("Beside its commit something was changed, and is lost: dvc repro may make another model there.")
    more = f"igarape lineage{option(facts.name)} --version {facts.version} --json"
    return [*said, f"Settings of each learner, and all packages: {more}"]


def _facts(facts: Provenance, here: Recovery) -> Iterator[tuple[str, str]]:
    """Yield what is known in a line or two each, by its name."""
    yield "registered", f"{facts.registered} UTC, by {facts.registered_by or UNKNOWN}; MLflow at {facts.mlflow}"
    for row in facts.crowned:
        why = "" if row["reason"] == NONE else f": {row['reason']}"
        yield "champion", f"{row['when (UTC)']} UTC, {row['outcome']} by {row['who']}{why}"
    if not facts.crowned:
        yield "champion", "no promotion is on record"
    if facts.teacher:
        yield "distilled", f"from {facts.teacher} of the ensemble"
    yield "hold-out", _figures(facts)
    corrected = UNKNOWN if facts.corrected is None else str(facts.corrected)
    yield "data set", f"{facts.dataset or UNKNOWN}; seed {facts.seed or UNKNOWN}; labels corrected: {corrected}"
    yield "commit", _commit(facts, here)
    if facts.repro:
        yield "made by", f"dvc repro, begun {facts.repro.rpartition('-')[0]}"
    yield "decides by", f"stack {facts.stack or UNKNOWN}; rule {facts.files.rule or UNKNOWN}"
    yield "files", _files(facts.files)
    packages = ", ".join(facts.files.requirements) or UNKNOWN
    yield "answers with", f"Python {facts.files.python or UNKNOWN}; {packages}"
    pinned = [each for each in here.packages if each.partition("==")[0] in MAKES]
    if pinned:
        yield "made with", f"{', '.join(pinned)}, by the commit's requirements.lock"


def _figures(facts: Provenance) -> str:
    """Say the hold-out's figures."""
    known = facts.figures
    if not {"f2", "f2_low", "f2_high", "map", "n"} <= set(known):
        return UNKNOWN
    f2 = f"F2 {known['f2']:.4f} (95 %: {known['f2_low']:.4f} to {known['f2_high']:.4f})"
    return f"{f2}, mAP {known['map']:.4f}, {known['n']:.0f} chips"


def _commit(facts: Provenance, here: Recovery) -> str:
    """Say which commit it is, whether all that counts was committed, and whether it is here."""
    if facts.commit is None:
        return UNKNOWN
    changed = {True: "something beside it was changed", False: "nothing beside it was changed", None: UNKNOWN}
    at = here.commit
    where = f"{at.day}, {shorten(at.subject, SUBJECT, placeholder='...')}" if at else "not in this clone"
    return f"{facts.commit} ({where}); {changed[facts.uncommitted]}"


def _files(files: Files) -> str:
    """Say whether the files are those that were registered."""
    if files.count is None:
        return f"cannot be looked at: {files.fault}"
    same = "as they were registered" if files.proved else "as bundle.json lists them"
    found = f"NOT what was registered: {files.fault}" if files.fault else same
    return f"{counted(files.count, 'file')}, {found}; bundle {files.digest}"


def _data(facts: Provenance, here: Recovery) -> list[Sequence[str]]:
    """Return a row for each of DVC's outputs that is on record."""
    said = {True: "yes", False: "no", None: "not known"}
    return [(path, md5, said[here.kept.get(path)]) for path, md5 in facts.data.items()]


def _learners(facts: Provenance) -> list[Sequence[str]]:
    """Return a row for each learner."""
    said = {True: "yes", False: "no", None: NONE}
    return [
        (
            each.name,
            NONE if each.oof_f2 is None else f"{each.oof_f2:.4f}",
            said[each.answers],
            each.search_run or NONE,
            each.train_run or NONE,
        )
        for each in facts.learners
    ]
