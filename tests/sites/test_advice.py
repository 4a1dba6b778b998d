"""When the newest scenes are all strange, the strangest tiles are named."""

from pathlib import Path

from site_looks import facts, look, write_site

from igarape.files import write_json
from igarape.sites.advice import drift_line, labelling_advice


def test_three_strange_scenes_in_a_row_name_what_to_label(tmp_path: Path) -> None:
    """Not two, not when one of them is in range, and not where a map is gone."""
    place = write_site(tmp_path)
    for day, verdict in ((1, "in range"), (10, "unusual"), (20, "not like training"), (30, "unusual")):
        assert labelling_advice(place) == ""
        look(place, day, {})
        told = place.map_of(Path(facts(day).scene), facts(day).sha256) / "map.json"
        strangest = [{"tile": f"{day}_{rank}", "far": 9.0 - rank} for rank in range(9)]
        drift = {"verdict": verdict, "strangest": strangest}
        write_json({"path": "a.tif", "sha256": "0", "stretch": None, "drift": drift}, told)
    advice = labelling_advice(place)
    assert "(not like training): 20_0, 20_1, 20_2, 20_3, 20_4; 2024-01-31" in advice and "1_0" not in advice.split()
    told.unlink()
    assert labelling_advice(place) == ""


def test_a_strange_scene_is_said_to_be_so() -> None:
    """With its tiles to look at; one in range, or of which nobody knows, says nothing."""
    strangest = [{"tile": f"0_{rank}", "far": 9.0 - rank} for rank in range(9)]
    drift = {"verdict": "not like training", "chance": 0.5, "far": 0.987, "strangest": strangest}
    line = drift_line(drift)
    assert line.startswith("is not like training (99% of its tiles lie far") and "do not rely on its tags" in line
    assert line.endswith("0_0, 0_1, 0_2, 0_3, 0_4")
    assert drift_line(drift | {"verdict": "unusual", "far": None}).startswith("is unusual: rely on its tags less")
    assert drift_line(drift | {"verdict": "in range"}) == drift_line(drift | {"verdict": None}) == ""
