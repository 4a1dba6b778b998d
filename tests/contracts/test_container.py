"""docs/Dockerfile starts igarape's own server as the command line has it, with what the documents bring."""

import json
import re
from pathlib import Path

from igarape.model_commands import serve

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/Dockerfile").read_text(encoding="utf-8")
STEPS = [line.split(" ", 1) for line in TEXT.splitlines() if line and not line.startswith("#")]


def told(name: str) -> list[str]:
    """Return what follows an instruction, wherever it stands."""
    return [rest for instruction, rest in STEPS if instruction == name]


def test_it_starts_our_server_on_the_model_that_was_copied() -> None:
    """On the port that it opens, and asks after; from a folder that no command has to write to."""
    program, command, *words = json.loads(told("CMD")[0])
    asked = serve.make_context(command, list(words)).params
    assert (program, command) == ("igarape", serve.name) and asked["host"] == "0.0.0.0"  # noqa: S104
    assert f"build/model {asked['bundle']}" in told("COPY")
    assert told("EXPOSE") == [str(asked["port"])] and f":{asked['port']}/health" in told("HEALTHCHECK")[0]


def test_what_it_copies_is_what_the_documents_make() -> None:
    """The lines above docker build say where the model and igarape's wheel lie."""
    page = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
    made = {*re.findall(r"--dst-path (\S+)", page), *re.findall(r"--wheel-dir (\S+)", page)}
    sources = {source for line in told("COPY") for source in line.split(" ")[:-1]}
    assert sources == {"build/model/requirements.txt", "build/igarape-*.whl", "build/model"} and made == {
        "build",
        "build/model",
    }


def test_what_it_leaves_out_is_installed_otherwise() -> None:
    """A wheel of another name would stay, unseen."""
    (left_out,) = re.findall(r"pip uninstall --yes (\S+)", TEXT)
    assert f"\n{left_out}==" in (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert told("USER") == ["10001"]
