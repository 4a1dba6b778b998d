"""The one error that people are meant to read."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

NAMED = 3  # of many, in one line
# User and password in an address. Databases take a password with a slash or a quote in it as it is: then all up to the
# last @ goes, for a path too much is better than a password.
USER = re.compile(r"(?<=://)(?:[^\s/'\"]*|[^\s/'\":]*:\S*)@")


class InputError(Exception):
    """What was found, where, what was expected, and what to do next. The CLI prints it without a traceback.

    remedy: what to do next, where somebody tells it apart from the problem; else it stands in the problem, or nowhere.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}. {remedy[0].upper()}{remedy[1:]}" if remedy else problem)
        self.problem, self.remedy = problem, remedy


def did_you_mean(word: str, known: Iterable[str], parent: str = "") -> str:
    """Return a suggestion like "; did you mean split.shuffle?", or the choices when nothing is close.

    parent is put before each known word ("split."), it does not count in the comparison.
    """
    choices = sorted(known)
    close = get_close_matches(word, choices, n=1)
    return f"; did you mean {parent}{close[0]}?" if close else f"; known are: {', '.join(choices)}"


def reason(error: BaseException) -> str:
    """Return what a foreign exception says, in one line, but for what differs from run to run: addresses in memory.

    Where it says no word, as a KeyError of a number, its kind.
    """
    said = re.sub(r"\s*\(?<[^<>]*\bat 0x[0-9a-fA-F]+>\)?|\s*\b0x[0-9a-fA-F]{6,}\b", "", str(error))
    said = " ".join(said.splitlines())
    return said if any(map(str.isalpha, said)) else f"{type(error).__name__} {said}".strip()


def counted(count: int, what: str, several: str | None = None) -> str:
    """Write a number of things: 1 picture, 2 pictures; several: what two are called, if not by an s."""
    return f"{count} {what if count == 1 else several or f'{what}s'}"


def some(names: Sequence[str]) -> str:
    """Name the first few, and say how many more there are; one with signs that nobody would see stands in quotes."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    plain = (name if name and name.isprintable() and name == name.strip() else repr(name) for name in names[:NAMED])
    return ", ".join(plain) + more


def expect(where: str, *checks: tuple[bool, str, str, object]) -> None:
    """Raise InputError for the first check that does not hold.

    checks: whether it holds, what was looked at, what was expected, what was found.
    """
    for holds, what, expected, found in checks:
        if not holds:
            raise InputError(f"{where}: {what}: expected {expected}, found {found}")


def concealed(text: str) -> str:
    """Return a text without the users and passwords that stand in its addresses."""
    return USER.sub("...@", text)
