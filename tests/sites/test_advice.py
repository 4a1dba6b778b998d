"""When the newest scenes are all strange, the strangest tiles are named."""

from pathlib import Path

from site_looks import facts, look, write_site

from igarape.files import write_json
from igarape.sites.advice import labelling_advice


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
