"""docs/compose.yaml starts what tests/test_services.py tries: the same server, options that MLflow has, no password."""

import configparser
import re
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow import environment_variables
from mlflow.cli import cli
from team import server_settings, server_words

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docs/compose.yaml"


@pytest.fixture(name="compose", scope="module")
def _compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return content


def options(words: list[str]) -> set[str]:
    """Return the names of options."""
    return {word.partition("=")[0] for word in words if word.startswith("--")}


def test_mlflow_takes_the_servers_options(compose: dict[str, Any]) -> None:
    """And they are those of the server that the tests start, but for how many workers it has."""
    program, command, *words = compose["services"]["mlflow"]["command"]
    assert (program, command) == ("mlflow", "server")
    cli.commands["server"].make_context("server", list(words))
    assert options(words) == options(server_words("postgresql+psycopg2://x", "1", "s3://x")) - {"--workers"}


def test_the_server_is_set_up_as_the_one_of_the_tests(compose: dict[str, Any]) -> None:
    """Who may do what, and how passwords are kept; the variables are ones that this MLflow reads."""
    read, tried = configparser.ConfigParser(), configparser.ConfigParser()
    read.read_string(compose["configs"]["auth"]["content"].replace("${", "{"))
    tried.read_string(server_settings("x"))
    for each in (read, tried):
        each.remove_option("mlflow", "database_uri")
    assert dict(read["mlflow"]) == dict(tried["mlflow"])
    known = {value.name for value in vars(environment_variables).values() if hasattr(value, "name")}
    named = {name for name in compose["services"]["mlflow"]["environment"] if name.startswith("MLFLOW_")}
    assert named - {"MLFLOW_S3_ENDPOINT_URL"} <= known


def test_what_a_service_names_is_there(compose: dict[str, Any]) -> None:
    """The services that it waits for, with a health check where that is waited for; volumes and configurations."""
    services = compose["services"]
    for name, service in services.items():
        awaited = service.get("depends_on", {})
        conditions = awaited if isinstance(awaited, dict) else {each: {} for each in awaited}
        assert conditions.keys() <= services.keys() - {name}
        healthy = [each for each, how in conditions.items() if how.get("condition") == "service_healthy"]
        assert all("healthcheck" in services[each] for each in healthy)
        assert {each.partition(":")[0] for each in service.get("volumes", [])} <= compose["volumes"].keys()
        assert {each["source"] for each in service.get("configs", [])} <= compose["configs"].keys()
        assert ("image" in service) != ("build" in service)


def test_both_sides_have_one_mlflow(compose: dict[str, Any]) -> None:
    """The version that this environment has is the one that was tried."""
    assert f"mlflow[auth]=={mlflow.__version__}" in compose["services"]["mlflow"]["build"]["dockerfile_inline"]


def test_no_password_stands_in_the_file() -> None:
    """Each comes from .env, and each that is missing is said."""
    text = COMPOSE.read_text(encoding="utf-8")
    for name in re.findall(r"(?:PASSWORD|SECRET|KEY)\w*: (\S+)", text):
        assert name.startswith("${"), name
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert asked == set(re.findall(r"\$\{(\w+)", text))
