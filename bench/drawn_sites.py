"""drawn_sites: rules that turn looks into alerts, on drawn sites whose changes are known, label by label.

python studies/drawn_site.py --seed 16 --sites 13 && python bench/drawn_sites.py

Takes the looks at each site that the study has drawn, of unseen seeds: our filter by the site's YAML, RADD's rule and 2
of 4 on the same scores. Tiles that hold a label when the baseline ends are left out of that label's rows.
"""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from calibration import COUNTS
from change import BASELINE, Alarms, Looks, k_of, radd
from scipy.stats import poisson

from igarape.sites.alerts import Status
from igarape.sites.frequency import change_ratio, rescaled
from igarape.sites.looks import list_looks
from igarape.sites.site_folder import SiteFolder
from igarape.sites.state import Engine
from igarape.workspace import Workspace

HERE = Workspace(Path())
NEVER = 10**7
RULES = ("filter", "RADD's, .975", "2 of 4")
YEAR = 365


def main() -> None:
    """Print a table of labels and rules."""
    found = sorted((HERE.data / "drawn_site").glob("*.csv"))
    rows = pd.concat([_site(SiteFolder.read(path.stem, HERE.sites), pd.read_csv(path)) for path in found])
    print(f"{len(found)} sites")
    print("| label | AUC | rule | changes | found | median delay, days | false | in 1000 tile-years |")
    print("|---|---|---|---|---|---|---|---|")
    for (label, rule), some in rows.groupby(["label", "rule"], sort=False):
        delays = [delay for each in some["delays"] for delay in each]
        false, years = some["false"].sum(), some["years"].sum()
        print(
            f"| {label} | {some['auc'].iloc[0]:.3f} | {rule} | {some['changes'].sum()} | {len(delays)} | "
            f"{np.median(delays) if delays else np.nan:.0f} | {false} | {1000 * false / years:.0f} |"
        )
    ours = rows[rows["rule"] == RULES[0]]
    _print_counted("false, by the filter", int(ours["false"].sum()), float(ours["expected"].sum()))
    years = ours["stayed"].sum()
    what = f"told as vanished, of labels that stayed, in {years:.0f} tile-years"
    _print_counted(what, int(ours["vanished"].sum()), float(ours["expected_vanished"].sum()))


def _print_counted(what: str, count: int, expected: float) -> None:
    """Print how many false alerts there were, how many lists expected, and how far chance spreads that."""
    low, high = poisson.interval(COUNTS, expected)
    print(f"{what}: {count}; expected by its lists: {expected:.2f}, 95 % of counts {low:.0f} to {high:.0f}")


def _site(place: SiteFolder, truth: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each label and rule: changes, delays of those found, false alerts, tile-years."""
    state, _ = place.update(lambda *_: None)
    engine, days = Engine.of(place.site), list(place.days(list_looks(place.looks)))
    part = change_ratio(state.belief, rates=engine.rates, baseline=engine.baseline)
    shape = (len(place.area.names), len(days))
    ratio, clear = np.zeros((*shape, len(place.labels))), np.zeros(shape, dtype=np.bool_)
    for number, day in enumerate(days):
        ratio[day.rows, number], clear[day.rows, number] = engine.weigh(day)[1], True
    since_start = engine.baseline - BASELINE  # the rules count from there
    dates = np.array([day.day for day in days]) - since_start
    rows = []
    for column, label in enumerate(place.labels):
        when = np.full(shape[0], NEVER)
        for row in truth[truth["label"] == label].itertuples():
            when[place.area.known[str(row.tile)]] = date.fromisoformat(str(row.since)).toordinal() - since_start
        looks = Looks(dates, when, ratio[..., column], clear, place.site.labels[label].auc)
        confirmed = [each for each in state.events if each.status == Status.CONFIRMED and each.label == column]
        appeared, vanished = ([each for each in confirmed if each.direction == way] for way in (0, 1))
        ours = [(each.day - since_start, each.tile) for each in appeared]
        p = [np.array([each.probability for each in some]) for some in (appeared, vanished)]
        expected = [float((1 - rescaled(each, part[way, column])).sum()) for way, each in enumerate(p)]
        there = when <= BASELINE  # and stays: on drawn sites nothing vanishes
        more = {
            "auc": looks.auc,
            "expected": expected[0],
            "expected_vanished": expected[1],
            "vanished": sum(bool(there[each.tile]) for each in vanished),
            "stayed": float(there.sum() * (dates[-1] - BASELINE) / YEAR),
        }
        for rule, alarms in zip(RULES, (ours, radd(looks), k_of(looks, 2, 4)), strict=True):
            rows.append({"label": label, "rule": rule, **more, **judged(alarms, looks)})
    return pd.DataFrame(rows)


def judged(alarms: Alarms, looks: Looks) -> dict[str, object]:
    """Return how many changes there were, the delays of those found, how many alarms were false, and tile-years."""
    first: dict[int, int] = {}
    asked = looks.when > BASELINE
    for day, row in alarms:
        if asked[row] and day >= looks.when[row]:
            first.setdefault(row, int(day - looks.when[row]))
    false = sum(bool(asked[row]) and day < looks.when[row] for day, row in alarms)
    end = int(looks.days[-1])
    years = float((np.minimum(looks.when, end) - BASELINE)[asked].sum()) / YEAR
    changes = int((asked & (looks.when <= end)).sum())
    return {"changes": changes, "delays": list(first.values()), "false": false, "years": years}


if __name__ == "__main__":
    main()
