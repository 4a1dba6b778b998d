"""A folder for each label: the pictures below it carry its name as their tag."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from unicodedata import normalize

from igarape.chips.formats import NAMED, stem
from igarape.chips.sources.annotations import SPLITS, Annotations
from igarape.chips.sources.origins import Origin
from igarape.chips.sources.places import Place
from igarape.chips.sources.spellings import Tags, spell
from igarape.errors import InputError
from igarape.files import digest
from igarape.labels import Vocabulary
from igarape.tables import Fault


@dataclass(frozen=True)
class Sorted:
    """The pictures of folders, by image_id, and the tags of each: the names of the folders that it lies in."""

    pictures: dict[str, Origin]
    tags: dict[str, Tags]


def sort_by_folder(place: Place) -> Sorted:
    """Read tags from the folders that pictures lie in; raise InputError where none lies in a folder.

    The innermost folder is the label. One file name in several folders is one chip of all their labels where the bytes
    are the same, else several chips, which are called LABEL-NAME; where they differ below folders of one label, as
    train/forest and test/forest, by all folders that lead to them.
    """
    found: dict[str, dict[str, Origin]] = defaultdict(dict)
    for name, origin in sorted(place.files.items()):
        path = PurePosixPath(name)
        if path.suffix.lower() in NAMED and path.parent.name.strip():
            found[stem(path.name)].setdefault(normalize("NFC", str(path.parent)), origin)
    if not found:
        raise InputError(
            f"{place.path}: holds no folder with pictures; found {place.holds()}; expected a folder for each label, "
            f"with files that end in {', '.join(NAMED)}. Or give a table of tags: source.tags in the data set's YAML, "
            "--tags of igarape add"
        )
    pictures: dict[str, Origin] = {}
    tags: dict[str, Tags] = {}
    for image_id, places in found.items():
        labels = {folder: PurePosixPath(folder).name.strip() for folder in places}
        contents = {folder: digest([origin.read()]) if len(places) > 1 else "" for folder, origin in places.items()}
        if len(set(contents.values())) == 1:
            pictures[image_id], tags[image_id] = next(iter(places.values())), tuple(dict.fromkeys(labels.values()))
            continue
        for folder, origin in places.items():
            alike = {contents[other] for other in places if labels[other] == labels[folder]}
            name = f"{labels[folder] if len(alike) == 1 else folder.replace('/', '-')}-{image_id}"
            pictures[name], tags[name] = origin, (labels[folder],)
    return Sorted(pictures, tags)


def read_folders(
    place: Place, vocabulary: Vocabulary, spellings: Mapping[str, str]
) -> tuple[dict[str, Origin], Annotations]:
    """Return the pictures of folders, and what these say of them, as read_tags does of a table.

    Parameters
    ----------
    place
        Where the folders lie.
    vocabulary
        The labels that are known; a picture in a folder of another one is a fault.
    spellings
        As read_tags takes them.
    """
    found = sort_by_folder(place)
    annotations = Annotations(faults=place.unreadable(), remarks=[f"tags: the names of the folders in {place.path}"])
    words = {part for name in place.files for part in PurePosixPath(name).parts[:-2] if part.lower() in SPLITS}
    if words:
        annotations.remarks.append(
            f"split: the folders {', '.join(sorted(words))} are not taken for a split: all chips are dealt into folds "
            "and hold-out. To keep theirs, name labels and split in a table"
        )
    for image_id, names in found.tags.items():
        tags = spell(names, spellings)
        unknown = [tag for tag in tags if tag not in vocabulary.labels]
        if unknown:
            problem = f"lies in the folder {unknown[0]}, which is no label of the data set"
            remedy = "add the label to the data set's YAML, or move the folder away"
            annotations.faults.append(Fault(image_id, problem, remedy, left_out=True))
        else:
            annotations.tags[image_id] = tags
    return found.pictures, annotations
