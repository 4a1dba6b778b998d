"""How every YAML file is read and checked: all faults at once, in the file's own words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from igarape.errors import InputError, counted, did_you_mean

M = TypeVar("M", bound=BaseModel)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]  # of a file, a folder, an MLflow run


def check_name(name: str, example: str) -> str:
    """Return a name that was typed; raise InputError where no file should be called so, such as ../there."""
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise InputError(f"{name!r}: expected small letters, digits, - and _, such as {example}") from error


def named_twice(names: Sequence[str]) -> list[str]:
    """Return what a list names more than once, in its order."""
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


PLAIN = {"bool", "int", "float", "str"}  # the branches of a union that are no sections
# What pydantic says in Python's words, in YAML's.
WORDS = {
    "model_type": "should hold keys and values",
    "model_attributes_type": "should hold keys and values",
    "dict_type": "should hold keys and values",
    "tuple_type": "should be a list",
    "too_short": "should hold at least {min_length} values",
    "string_pattern_mismatch": "should match {pattern}",
    "string_too_short": "should not be empty",
}


class Section(BaseModel):
    """A part of a configuration file: frozen, and closed to unknown keys; its numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class _Loader(yaml.SafeLoader):
    """Reads YAML as safe_load does, but takes no key twice: the last one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as PyYAML's
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


class _Flow(yaml.SafeDumper):
    """Writes a tuple as a list, and what comes twice twice; what _Loader takes for a number stands in quotes."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


_Flow.add_representer(tuple, _Flow.represent_list)
for _each in (_Loader, _Flow):
    # 1e-3 is a number, as it is to DVC: YAML 1.1, which is PyYAML's, wants a point in it.
    _each.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+\Z"), list("-+.0123456789")
    )


def flow(value: Any) -> str:
    """Write a value on one line of YAML."""
    text: str = yaml.dump(
        value, Dumper=_Flow, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def read_yaml(path: Path, *, made_by: str = "") -> dict[str, Any]:
    """Read a YAML file whose top is a mapping; raise InputError that names the file and the line otherwise.

    made_by: the command that makes such a file, for who asks for one that is not there.
    """
    if not path.exists():
        siblings = sorted(p.stem for p in path.parent.glob("*.yaml"))
        near = did_you_mean(path.stem, siblings) if siblings else ""
        end = "" if near.endswith("?") else "."
        raise InputError(f"{path}: not found{near}{f'{end} To make it: {made_by}' if made_by else ''}")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a YAML file: {error}") from error
    if not isinstance(content, dict):
        found = "nothing" if content is None else type(content).__name__
        raise InputError(f"{path}: expected keys and values, found {found}")
    return content


def validate(model: type[M], content: Mapping[str, Any], where: str, found: Sequence[tuple[str, str]] = ()) -> M:
    """Check content against a schema, and return what it holds.

    Parameters
    ----------
    model
        The schema.
    content
        What was read.
    where
        What the error begins with.
    found
        Faults that the schema cannot see, each as (place, text); they are listed first.

    Raises
    ------
    InputError
        With all faults at once, in the file's own words.
    """
    faults = list(found)
    try:
        checked = model.model_validate(content)
    except ValidationError as error:
        faults += _faults(model, error)
    else:
        if not faults:
            return checked
    width = max(len(place) for place, _ in faults)
    lines = [f"  {place:<{width}}  {text}" for place, text in faults]
    raise InputError("\n".join([f"{where}: {counted(len(faults), 'problem')}", *lines]))


def _faults(model: type[BaseModel], error: ValidationError) -> list[tuple[str, str]]:
    """Say what pydantic found, but for what only follows from a value of a list that is wrong.

    A union of types tells a fault of each; what is wrong counts as not there, so that a list is called too short.
    """
    found: dict[tuple[int | str, ...], tuple[str, str]] = {}
    for detail in error.errors():
        loc = detail["loc"]
        if len(loc) > 1 and isinstance(loc[-2], int) and loc[-1] in PLAIN:
            loc = loc[:-1]
            if loc in found:
                continue
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue
        found[loc] = _fault(model, {**detail, "loc": loc})
    return list(found.values())


def _fault(model: type[BaseModel], detail: Any) -> tuple[str, str]:
    """Say one pydantic fault in the file's words: (place, text)."""
    if detail["type"] == "extra_forbidden":
        *above, key = detail["loc"]
        parent = "".join(f"{part}." for part in above if not _is_branch(part))
        known = _keys(model, above)
        home = next((name for name in known if key in _keys(model, [*above, name])), None)
        advice = did_you_mean(str(key), known, parent) if home is None else f" here; it belongs under {parent}{home}"
        return f"{parent}{key}", f"is not known{advice}"
    place = ".".join(str(part) for part in detail["loc"] if not _is_branch(part))
    if detail["type"] == "missing":
        return place, "is missing"
    text = detail["msg"].removeprefix("Value error, ").replace("Input should", "should")
    text = text.replace("greater than or equal to", "at least").replace("less than or equal to", "at most")
    if detail["type"] in WORDS:
        text = WORDS[detail["type"]].format_map(detail.get("ctx", {}))
    shown = "" if isinstance(detail["input"], dict | list | BaseModel) else f" (got {detail['input']!r})"
    return place or "the file", text + shown


def _is_branch(part: int | str) -> bool:
    """Tell pydantic's name for a branch of a union, which the file does not have: a class name, as in "Range"."""
    return isinstance(part, str) and part[:1].isupper()


def _keys(model: type[BaseModel], loc: Iterable[int | str]) -> list[str]:
    """Return the keys that the section at loc may hold."""
    current: Any = model
    parts = iter(loc)
    for part in parts:
        if _is_branch(part):
            current = next(branch for branch in _classes(current) if branch.__name__ == part)
        elif isinstance(part, str):
            annotation = current.model_fields[part].annotation
            classes = _classes(annotation)
            current = classes[0] if len(classes) == 1 else annotation
            if get_origin(annotation) is dict:
                next(parts, None)  # its keys are the reader's
    return list(getattr(current, "model_fields", {}))


def _classes(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections among an annotation's branches."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for branch in get_args(annotation) for found in _classes(branch)]
