"""The documents, as tests read them: commands, sentences, links."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
README, ARCHITECTURE = ROOT / "README.md", ROOT / "ARCHITECTURE.md"
WRITTEN = [README, ARCHITECTURE, ROOT / "CONTRIBUTING.md", ROOT / "experiments/README.md", *ROOT.glob("docs/*.md")]
LINKED = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob(".github/**/*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("experiments/*.md")]
)
TEXT = {path: path.read_text(encoding="utf-8") for path in LINKED}
ALL = "\n".join(TEXT[path] for path in WRITTEN)
NAMES = {path: str(path.relative_to(ROOT)) for path in LINKED}


def blocks(path: Path) -> list[str]:
    """Return what stands in a document's `sh` blocks."""
    return re.findall(r"^```sh\n(.*?)^```", TEXT[path], flags=re.DOTALL | re.MULTILINE)


def whole_lines(block: str) -> Iterator[str]:
    """Yield the lines of a block; one that goes on is joined with the next."""
    held = ""
    for line in block.splitlines():
        held += line.removesuffix("\\")
        if not line.endswith(("\\", "|", "&&")):
            yield held
            held = ""


def simple_commands(line: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command in a line, without comments, redirections of input, and variables before it."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();|&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();|&"):
            if words:
                yield tuple(words)
            words = []
        elif words or not re.fullmatch(r"[A-Z_]+=.*", word):
            words.append(word)


def prose(path: Path, *, tables: bool) -> str:
    """Return a document without its blocks, comments and headings, and without its tables unless they are wanted."""
    text = re.sub(r"^```.*?^```", "", TEXT[path], flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(line for line in lines if tables or not line.startswith("|"))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; each item of a list, and each paragraph, begins one."""
    parts = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|(?<=[.!?])[*`\"')]*\s+(?=[A-Z`*\"'(])", text)
    return [part for part in parts if len(part.split()) > 1]


def inline() -> Iterator[tuple[Path, str]]:
    """Yield what documents say between backticks outside of blocks, with the document."""
    for path in LINKED:
        for text in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(path, tables=True)):
            yield path, text


def links() -> Iterator[tuple[Path, str]]:
    """Yield each document with each of its links into the repository, pictures too."""
    for path in LINKED:
        text = re.sub(r"^```.*?^```", "", TEXT[path], flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text):
            if not re.match(r"[a-z]+:", target[0] or target[1]):
                yield path, target[0] or target[1]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
