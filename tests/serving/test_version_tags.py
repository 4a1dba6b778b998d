"""Tags that are no figures are passed over, whoever wrote them."""

from igarape.serving.version_tags import figures_of, lineage_of

TAGS = {
    "holdout_f2": "0.9",
    "holdout_words": "many",
    "f2": "1",
    "git_commit": "0f",
    "dvc.data/ingest": "1a.dir",
    "dvc": "x",
}


def test_figures_are_numbers_of_the_hold_out() -> None:
    """By the names of the tags."""
    assert figures_of(TAGS) == {"holdout_f2": 0.9}


def test_the_lineage_is_the_commit_and_the_data() -> None:
    """And nothing else that somebody tagged."""
    assert lineage_of(TAGS) == {"git_commit": "0f", "dvc.data/ingest": "1a.dir"}
