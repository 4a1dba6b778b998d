"""All pages on a screen of 400 pixels, in a real browser: nothing is pushed off it, and no name is broken inside.

The names are Planet's, and those of learners that there are: what fits with names of three letters proves nothing.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from analyses import GAIN, LOSS, POINT, analysis
from browsers import needs_browser
from drawing import singly
from screenshots import Browser, browsing
from streams import answers
from students import taught

from igarape.chips.pictures import encode_jpeg
from igarape.config.datasets import read_dataset
from igarape.config.documents import Origin
from igarape.config.hyperparameters import NetworkValues
from igarape.config.spaces import Range, Space
from igarape.learners.views import INTEGER, PIPELINE, Mode
from igarape.reports.comparison import compare, render_comparison
from igarape.reports.curves import Curve, Point
from igarape.reports.data import (
    Dehazed,
    Haze,
    Overview,
    Sheet,
    Shown,
    Twins,
    TwinSheet,
    presences,
    render_overview,
    spread,
    together,
)
from igarape.reports.ladder import Ladder
from igarape.reports.mistakes import Cost, Group, Swap
from igarape.reports.modes import ModeComparison
from igarape.reports.noise import DoubtedChip, LabelNoise, Noise
from igarape.reports.operating import OperatingRow
from igarape.reports.reliability import reliable
from igarape.reports.review import render_review, review_content
from igarape.reports.student import StudentComparison
from igarape.reports.trials import render_comparison as render_trials
from igarape.reports.verdict import Chip, Verdict, metrics_document, per_label_table, render_report
from igarape.reports.worth import LabelWorth, Views, Worth
from igarape.tables import Fault

WIDTH = 400
VOCABULARY = read_dataset("planet", Path(__file__).parents[2] / "datasets").labels.vocabulary()
LABELS = VOCABULARY.labels
LEARNERS = ("mobilenet_dehazed", "rare_mobilenet", "mobilenet_v2", "probe", "kernel", "tabular")
STACKERS = ("mean", "single", "blend", "logistic", "ridge", "xgboost")
RNG = np.random.default_rng(3)
Y = RNG.random((300, len(LABELS))) < 0.3
P = RNG.random(Y.shape).astype(np.float32)
PICTURE = encode_jpeg(np.full((32, 32, 3), 90, dtype=np.uint8), 80)
QUICK = Mode(2, INTEGER)
STUDENT = taught(LABELS, name="student_mobilenet", size=128, labelled=32383, unlabelled=61191)
TAGS = ["partly_cloudy", "primary", "conventional_mine", "selective_logging", "cultivation"]
# What is wider than its place or its box, and words that lie on two lines; a hyphen is a place to go on.
LOOK = """(() => {
  const wide = [], broken = [], main = document.querySelector('main');
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  for (const one of document.querySelectorAll('body *')) {
    const boxed = !(one instanceof SVGElement) && getComputedStyle(one).display != 'inline';
    if (boxed && one.scrollWidth > one.clientWidth + 1)
      wide.push(`${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 40)}`);
  }
  while (walker.nextNode()) {
    const text = walker.currentNode, range = document.createRange();
    if (text.parentElement.closest('code, svg')) continue;
    for (const word of text.data.matchAll(/[^\\s-]+/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(word[0]);
    }
  }
  return JSON.stringify({width: document.documentElement.scrollWidth, wide, broken});
})()"""


def report() -> str:
    """Render a report of six learners and 17 labels."""
    figures = {"f2": 0.9123, "map": 0.8123}
    metrics = metrics_document(
        Y,
        P,
        predicted=P > 0.5,
        oof=figures,
        learners=dict.fromkeys(LEARNERS, figures),
        stackers=dict.fromkeys(STACKERS, figures),
        rules={rule: {"f2": 0.9, "fbeta": 0.8} for rule in ("fixed", "threshold", "per_label", "expected")},
        ladder={},
        draws=singly(Y, resamples=50, seed=1),
    )
    return render_report(
        Verdict(
            dataset="planet_as_it_is_on_kaggle",
            note="These chips are a toy.",
            metrics=metrics,
            per_label=per_label_table(Y, P, predicted=P > 0.5, labels=LABELS),
            stacker="xgboost",
            rule="per_label",
            threshold=0.17,
            beta=1.5,
            ladder=Ladder(
                LEARNERS[0],
                dict.fromkeys(STACKERS, GAIN),
                GAIN,
                dict.fromkeys(STACKERS, GAIN),
                dict.fromkeys(LEARNERS[2:], LOSS),
                {LEARNERS[2]: LOSS},
            ),
            words=["The stack beats its best learner: xgboost against mobilenet_dehazed, F2 +0.0100 out of fold."],
            reliability=reliable(Y, P, P, inside=np.arange(300) < 200, kinds={"haze": "isotonic"}),
            alarms={"mobilenet_dehazed": 0.1},
            weights={label: dict.fromkeys(LEARNERS, 0.25) for label in LABELS},
            kept={},
            partial={"rare_mobilenet": 9},
            fitted=32383,
            groups=123,
            folds=5,
            split="chip",
            operating=[OperatingRow(label, 0.5, POINT, alert=True) for label in VOCABULARY.rare],
            analysis=lay_out_analysis(),
            worst=[Chip("drawn_00315", PICTURE, 0.31, TAGS, ["artisinal_mine", "slash_burn"])],
            noise=Noise(
                table=pd.DataFrame({"image_id": ["train_00315"]}),
                labels=[LabelNoise(label, 12345, 123, 234, 345.6, 0.8765) for label in LABELS],
                review={},
                chips=[
                    DoubtedChip(
                        "train_00315", PICTURE, "hold-out", TAGS, {"conventional_mine": 0.98}, {"slash_burn": 0.01}
                    )
                ],
                doubted=1,
                held_out=1,
                given=200,
                corrected=2,
                corrected_held_out=1,
            ),
            left_out=3,
            reported=1,
            origin=Origin(
                git_commit="c0ffee" * 6 + "c0ff",
                uncommitted_changes=True,
                runs={"train@mobilenet_dehazed": "0af7" * 8},
                dvc={"data/train/mobilenet_dehazed": "0af7" * 8 + ".dir"},
            ),
            modes=ModeComparison(
                served=QUICK,
                chips=8096,
                figures={PIPELINE: figures, QUICK: figures},
                f2={QUICK: LOSS},
                map={QUICK: GAIN},
                milliseconds={PIPELINE: 153.04, QUICK: 41.26},
                quantised=("mobilenet_dehazed",),
            ),
            student=StudentComparison(
                manifest=STUDENT,
                p=P,
                figures=dict.fromkeys(("ensemble", "student"), figures | {"ece": 0.0123, "brier": 0.03, "mb": 113.2}),
                f2=LOSS,
                map=GAIN,
                milliseconds={"ensemble": 153.04, "student": 17.26},
            ),
        )
    )


def lay_out_analysis() -> Any:
    """Fill in what lies behind a score, for all labels and learners."""
    few = analysis(label="conventional_mine", learner="mobilenet_dehazed")
    curve = (Point(0.5, 1), Point(1, 0.25))
    labels = tuple(LabelWorth(label, 12345, 0.25, 0.282, GAIN) for label in LABELS)
    return dataclasses.replace(
        few,
        worths=dict.fromkeys(LEARNERS, Worth(f2=GAIN, map=LOSS)),
        views=(Views("mobilenet", "mobilenet_dehazed", "dehazed", ("dropout",), Worth(GAIN, LOSS), labels),),
        budget=tuple(Cost(label, GAIN, 12345, 2345) for label in LABELS),
        swaps=tuple(Swap(label, "conventional_mine", 4123, 0.505, 0.123) for label in LABELS),
        group=Group(VOCABULARY.exclusive, np.full((4, 4), 1234), 3),
        curves=tuple(Curve(label, 12345, 0.654, curve, Point(0.75, 0.5), None) for label in LABELS),
        contributions=dataclasses.replace(
            few.contributions,
            labels=tuple(LABELS),
            learners=LEARNERS,
            linear=np.full((len(LABELS), len(LEARNERS)), 2.34),
            trees=np.full((len(LABELS), len(LEARNERS)), 0.34),
        ),
    )


def data() -> str:
    """Render the data's page with everything that it can show."""
    chip = Shown("train_00315", PICTURE, TAGS)
    level = spread(np.array([0.2, 0.4]), reach=1.0)
    figures = dict.fromkeys(("labelled", "unlabelled", "left_out", "reported_faults", "corrected"), 12345)
    figures |= dict.fromkeys(("combinations", "near_duplicates", "near_duplicates_apart", "chips"), 40479)
    means = {"tags_per_chip": 1.5, "mean_t": 0.62, "mean_change": 12.3}
    return render_overview(
        Overview(
            dataset="planet",
            note="These chips are a toy.",
            vocabulary=VOCABULARY,
            figures=figures | means,
            presences=presences(Y, np.arange(300) % 6 - 1, labels=LABELS),
            together=together(Y),
            sheets=[Sheet(label, 40479, [chip] * 3) for label in LABELS],
            hazes=[Haze("partly_cloudy", 12345, level, spread(np.array([3.0, 4.0]), reach=5.0))],
            reach=5.0,
            dehazed={"most": [Dehazed(chip, PICTURE, (120, 130, 140), 0.41, 33.3)], "least": [], "drawn": []},
            twins=[TwinSheet("copy", 1234, [Twins(chip, chip, 0.125, apart=True)])],
            faults=[
                Fault("train_00315", "cannot be read: image file is truncated", "fetch it anew", left_out=left_out)
                for left_out in (True, False)
            ],
        )
    )


def trials() -> str:
    """Render a search over ten hyperparameters, one trial of which failed."""
    varied = ("learning_rate", "head_rate", "dropout", "decay", "smoothing", "jitter", "zoom", "balance")
    scale = Range(low=0.001, high=0.1, scale="log")
    space = Space[NetworkValues](**tiny.HYPERPARAMETERS | dict.fromkeys(varied, scale))
    table = pd.DataFrame(
        {
            "trial": ["trial-0", "trial-1", "trial-12"],
            "status": ["FINISHED", "FAILED", "FINISHED"],
            "score": [0.25, np.nan, 0.75],
            "seconds": [10.0, 20.0, 3000.0],
            "memory_mb": [500.0, 700.0, 12345.0],
            "epochs": [3, 3, 3],
            "error": ["", "ValueError: the loss is not finite", ""],
            **{name: [value] * 3 for name, value in tiny.HYPERPARAMETERS.items()},
            **{name: [0.00123, 0.01, 0.1] for name in varied},
        }
    )
    return render_trials(
        table, space, experiment="mobilenet_dehazed", objective="f2", tuner="hyperband", best="trial-12"
    )


def two_streams() -> str:
    """Render a comparison of two streams."""
    names = ("conventional_mine", "selective_logging", "partly_cloudy", "artisinal_mine")
    a, b = (dataclasses.replace(answers(noise=noise), labels=names) for noise in (0.7, 0.5))
    where = ("main (0a1b2c3d4)", "the working tree (0a1b2c3d4, with changes that are not committed)")
    return render_comparison(compare(a, b, names=where, resamples=50, seed=1))


def review() -> str:
    """Render the page of doubted labels, of which each chip has one."""
    table = pd.DataFrame({"image_id": "train_00315", "part": "hold-out", "label": LABELS})
    picture = np.full((256, 256, 3), 90, dtype=np.uint8)
    content = review_content(table, ["train_00315"], y=Y, p=P, vocabulary=VOCABULARY, picture=lambda _: picture)
    return render_review(content, dataset="planet_as_it_is_on_kaggle")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a browser with a small screen."""
    with browsing() as opened:
        opened.resize(WIDTH, 900)
        yield opened


@needs_browser
@pytest.mark.parametrize("render", [report, data, trials, two_streams, review])
def test_nothing_is_pushed_off_a_small_screen(browser: Browser, tmp_path: Path, render: Callable[[], str]) -> None:
    """Neither the page nor a table in it scrolls sideways, no tag is cut, and no word is broken inside."""
    path = tmp_path / "page.html"
    path.write_text(render(), encoding="utf-8")
    browser.open(path.as_uri())
    found = json.loads(browser.value(LOOK))
    assert found == {"width": WIDTH, "wide": [], "broken": []}
