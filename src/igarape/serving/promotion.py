"""Who is to be champion: promoted for a reason that is kept, and undone in one command."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from igarape.config.params import Params
from igarape.errors import InputError
from igarape.progress import Report
from igarape.scores.draws import Draws
from igarape.serving.advice import how_to_promote, option, other_here
from igarape.serving.champion_change import make_champion, record_change, restore_previous
from igarape.serving.gate import check_challenger
from igarape.serving.history import ROLLED, Verdict, in_words
from igarape.serving.paired_answers import answer_same_chips
from igarape.serving.registry import (
    CHALLENGER,
    CHAMPION,
    PREVIOUS,
    aliases_of,
    client_of,
    model_name,
    one_of,
    versions_of,
)
from igarape.workspace import Workspace

FIRST = "there is no champion yet to compare it with"

Say = Callable[[str], None]
Check = Callable[[str], object]  # raises InputError for the address of a version that cannot be served


def _force(name: str) -> str:
    """Say how to overrule a refusal."""
    return f"To promote all the same: igarape promote{option(name)} --force --reason TEXT"


def promote(
    workspace: Workspace,
    params: Params,
    *,
    student: bool = False,
    version: str | None,
    force: bool,
    reason: str,
    dry_run: bool,
    say: Say,
    report: Report,
    check: Check = lambda _: None,
) -> str:
    """Make a version the champion, and the champion the previous one, where the gate lets it pass; say so.

    Parameters
    ----------
    workspace, params
        The project, and its settings.
    student
        Whether a version of the student is meant, not of the ensemble.
    version
        A number; None: the challenger's.
    force
        Whether checks that fail, or cannot be made, are overruled.
    reason
        Why; it is kept. force needs one.
    dry_run
        Whether nothing but the verdict is wanted. It is kept all the same.
    say
        Called with the verdict's table.
    report
        Called with (chips done, of how many), where the champion is asked anew.
    check
        Called with the version's address before all else.

    Raises
    ------
    InputError
        When it is refused, something cannot be compared, or another promotion came first; and where check does, which
        force does not overrule.
    """
    name = model_name(params.dataset, student=student)
    if force and not reason:
        raise InputError(
            f"igarape promote{option(name)} --force: expected why the checks should not count: --reason TEXT, which is "
            "kept"
        )
    new, old = _chosen(name, workspace.root, version, say)
    if new == old:
        return f"{name}: version {new} is the champion already"
    _check(name, new, old, check)
    verdict = _verdict(name, new, old, workspace=workspace, params=params, force=force, reason=reason, report=report)
    say(in_words(verdict))
    outcome = _outcome(verdict, force=force, dry_run=dry_run)
    moves = outcome in {"promoted", "forced"}
    record_change(workspace, params, "promote", verdict, outcome=outcome, change=make_champion if moves else None)
    return _answer(verdict, outcome, moves=moves)


def rollback(
    workspace: Workspace,
    params: Params,
    *,
    reason: str,
    student: bool = False,
    check: Check = lambda _: None,
) -> str:
    """Let champion and previous one change places; say so.

    Parameters
    ----------
    workspace, params
        The project, and its settings.
    reason
        Why; it is kept.
    student
        Whether the student is meant, not the ensemble.
    check
        Called with the address of the version that is gone back to, before anything moves.

    Raises
    ------
    InputError
        Without a previous one, and where check does.
    """
    name = model_name(params.dataset, student=student)
    new, old = _exchanged(name, workspace.root)
    _check(name, new, old, check)
    verdict = Verdict(name, new, old, checks=(), notes=(), reason=reason)
    record_change(workspace, params, "rollback", verdict, outcome=ROLLED, change=restore_previous)
    return f"{name}: version {new} is the champion again; version {old} was"


def _check(name: str, new: str, old: str | None, check: Check) -> None:
    """Let check look at a version before anything moves: no server could answer by one that cannot be loaded."""
    try:
        check(f"models:/{name}/{new}")
    except InputError as error:
        raise InputError(f"{error}. {f'Version {old} stays' if old else 'No version becomes'} champion") from error


def _exchanged(name: str, folder: Path) -> tuple[str, str]:
    """Return the versions that a rollback lets change places: the previous champion, and the champion.

    Raises InputError when one of them is not there.
    """
    with client_of(name, folder):
        holders = aliases_of(name, folder)
    old, new = holders.get(CHAMPION), holders.get(PREVIOUS)
    if new is None:
        raise InputError(
            f"{name}: nothing to roll back to: no version has the alias {PREVIOUS}. The champion has it "
            f"from when a second version is promoted in its place: dvc repro, then igarape promote{option(name)}"
        )
    if old is None:
        raise InputError(
            f"{name}: no version is the champion, so nothing is rolled back; the champion before was version {new}. To "
            f"promote that: igarape promote{option(name)} --version {new}"
        )
    if old == new:
        raise InputError(
            f"{name}: version {old} is both {CHAMPION} and {PREVIOUS}: a change was interrupted. See igarape "
            f"history{option(name)} for who was champion, then: igarape promote{option(name)} --version N --force "
            "--reason TEXT"
        )
    return new, old


def _chosen(name: str, folder: Path, version: str | None, say: Say) -> tuple[str, str | None]:
    """Return the version that is meant, and the champion; say so where the folder's own result is another one."""
    with client_of(name, folder) as client:
        holders = aliases_of(name, folder)
        known = versions_of(client, name)
        new = version or holders.get(CHALLENGER)
        if new is None:
            raise InputError(f"{name}: no challenger to promote. {how_to_promote(name, holders, known, folder)}")
        if new not in known:
            raise InputError(f"{name}: no version {new}{one_of(known, name, folder)}")
        if version is None and (other := other_here(name, new, known, folder)):
            say(other)
    return new, holders.get(CHAMPION)


def _verdict(
    name: str,
    new: str,
    old: str | None,
    *,
    workspace: Workspace,
    params: Params,
    force: bool,
    reason: str,
    report: Report,
) -> Verdict:
    """Compare a version with the champion; what cannot be compared is an error, or with force a note."""
    if old is None:
        return Verdict(name, new, old, (), (FIRST,), reason)
    try:
        with client_of(name, workspace.root) as client, tempfile.TemporaryDirectory() as into:
            pair = answer_same_chips(
                client, name, champion=old, challenger=new, workspace=workspace, into=Path(into), report=report
            )
    except InputError as error:
        if not force:
            raise InputError(f"{error}. {_force(name)}") from error
        return Verdict(name, new, old, (), (f"not compared: {error}",), reason)
    checks = check_challenger(
        pair.held.y,
        pair.champion,
        pair.challenger,
        labels=pair.held.labels,
        rare=pair.rare,
        limits=params.promote,
        draws=Draws(pair.held.groups, resamples=params.evaluate.resamples, seed=params.seed),
    )
    return Verdict(name, new, old, checks, pair.notes, reason)


def _outcome(verdict: Verdict, *, force: bool, dry_run: bool) -> str:
    """Say in a word or two what follows from a verdict."""
    compared = verdict.checks or verdict.old is None
    passes = bool(compared) and not verdict.failed
    if dry_run:
        return "dry run: passes" if passes else "dry run: refused"
    return "promoted" if passes else "forced" if force else "refused"


def _answer(verdict: Verdict, outcome: str, *, moves: bool) -> str:
    """Return what is said in the end; raise InputError for a refusal."""
    name, new, old = verdict.name, verdict.new, verdict.old
    if outcome.endswith("refused"):
        would = "would be" if outcome != "refused" else "is"
        raise InputError(
            f"{name}: version {new} {would} refused: {', '.join(verdict.failed) or 'nothing was compared'}. "
            f"Version {old} stays champion. {_force(name)}"
        )
    if not moves:
        return f"{name}: version {new} passes. It was a dry run: nothing was changed"
    more = option(name)
    first = f". To ask it: igarape predict FOLDER --out answers.csv{more}, or igarape serve{more}"
    before = f"; version {old} was. To undo: igarape rollback{more}" if old else first
    return f"{name}: version {new} is the champion{before}"
