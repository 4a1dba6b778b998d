"""The verdict: figures with known answers, and a page that stands alone, names everything and trusts no name."""

import base64
import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from analyses import GAIN, LOSS, POINT, analysis
from drawing import singly
from students import taught

from igarape.config.documents import Origin
from igarape.errors import InputError
from igarape.learners.views import PIPELINE, Mode
from igarape.reports.ladder import Ladder
from igarape.reports.modes import ModeComparison
from igarape.reports.noise import DoubtedChip, LabelNoise, Noise
from igarape.reports.operating import OperatingRow
from igarape.reports.reliability import reliable
from igarape.reports.student import StudentComparison
from igarape.reports.verdict import (
    Chip,
    Verdict,
    metrics_document,
    per_label_table,
    render_report,
    summary,
)
from igarape.scores.comparison import Difference

Browse = Callable[[str], Any]

LABELS = ("sun", "tree", "kiln", "mine")
Y = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 0, 0]], dtype=np.bool_)
# Chip 0 is right (F2 1), chip 1 gets a label too many (5/6), chip 2 finds one of two (5/9), chip 3 neither (0).
PREDICTED = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=np.bool_)
P = np.array([[0.9, 0.8, 0.3, 0.1], [0.7, 0.6, 0.1, 0.1], [0.2, 0.7, 0.2, 0.1], [0.1, 0.1, 0.0, 0.6]], dtype=np.float32)
NOISE = Noise(
    table=pd.DataFrame({"image_id": ["chip_5", "chip_5", "chip_6"]}),
    labels=[LabelNoise("mine", 0, 0, 0, 0.0, math.nan), LabelNoise("tree", 31, 2, 1, 4.6, 0.8765)],
    review={"chips": [], "doubted": 0},
    chips=[DoubtedChip("chip_5", b"doubted picture", "fold 2", ["sun"], {"kiln": 0.987}, {"tree": 0.012})],
    doubted=2,
    held_out=1,
    given=200,
    corrected=29,
    corrected_held_out=3,
)
STUDENT = taught(LABELS, labelled=1234, unlabelled=5)
LADDER = Ladder(
    "good",
    {"mean": Difference(-0.0222, -0.04, 0.01), "xgboost": Difference(0.05, 0.03, 0.07)},
    None,
    learners={"poor": Difference(-0.1111, -0.15, -0.05)},
)
HOSTILE = "\" onerror='x' ><script>alert('a & b')</script>"


def document() -> dict[str, Any]:
    """Build the metrics of three learners, one of them of rare labels only; the figures carry more than is kept."""
    return metrics_document(
        Y,
        P,
        predicted=PREDICTED,
        oof={"f2": 0.61, "map": 0.51},
        learners={
            "poor": {"f2": 0.4411, "map": 0.3, "n": 9.0},
            "good": {"f2": 0.5522, "map": 0.4},
            "few": {"f2": 0.9933, "map": 0.2},
        },
        stackers={"mean": {"f2": 0.5, "map": 0.45}, "xgboost": {"f2": 0.6022, "map": 0.51}},
        rules={"fixed": {"f2": 0.6022}, "threshold": {"f2": 0.61}, "per_label": {"f2": 0.605}, "expected": {"f2": 0.6}},
        ladder={"mean": {"mean": -0.02, "low": -0.04, "high": 0.01, "map": 0.0, "map_low": -0.1, "map_high": 0.1}},
        draws=singly(Y, resamples=200, seed=1),
    )


def verdict(**changes: Any) -> Verdict:
    """Fill in everything the page can show, then replace what the test is about."""
    full = Verdict(
        dataset="toy",
        note="These chips are a toy.",
        metrics=document(),
        per_label=per_label_table(Y, P, predicted=PREDICTED, labels=LABELS),
        stacker="xgboost",
        rule="threshold",
        threshold=0.17,
        beta=2.0,
        ladder=LADDER,
        words=["The stack beats its best learner."],
        reliability=reliable(
            np.concatenate([Y, Y]),
            np.concatenate([P, P]),
            np.concatenate([P, P]),
            inside=np.arange(8) < 4,
            kinds={"sun": "none", "tree": "platt"},
        ),
        alarms={},
        weights={"kiln": {"good": 0.77, "few": 0.33}},
        kept={"tree": "trees gain nothing"},
        partial={"few": 2},
        fitted=1234,
        groups=3,
        folds=5,
        split="scene",
        operating=[
            OperatingRow("mine", 0.5, None, alert=False),
            OperatingRow("kiln", 0.5, POINT, alert=False),
            OperatingRow("tree", 0.85, POINT.model_copy(update={"precision": None, "recall": 0.0}), alert=True),
        ],
        analysis=analysis(),
        worst=[Chip("chip_3", b"worst picture", 0.0, ["sun", "tree"], ["mine"])],
        noise=NOISE,
        left_out=3210,
        reported=1,
        origin=Origin(
            git_commit="c0ffee",
            uncommitted_changes=True,
            runs={"train@good": "run-17"},
            dvc={"data/ingest": "d41d8.dir"},
        ),
    )
    return dataclasses.replace(full, **changes)


def test_in_how_many_groups_the_hold_out_lies_is_said(browse: Browse) -> None:
    """As intervals draw these. One alone is told to say nothing of others, and chips that are alone need no word."""
    page = {groups: browse(render_report(verdict(groups=groups))).text for groups in (1, 3, len(Y))}
    assert "held out, in 3 groups; 1,234 in" in page[3] and "held out; 1,234 in" in page[len(Y)]
    assert "held out, in 1 group; 1,234 in" in page[1] and "one group, which tells nothing of others" in page[1]
    assert not any("nothing of others" in page[groups] for groups in (3, len(Y)))


def test_the_student_stands_beside_the_ensemble(browse: Browse) -> None:
    """With its figures, what they cost, and the differences; without a student there is no such section."""
    figures = {"f2": 0.91234, "map": 0.93, "ece": 0.02, "brier": 0.03, "mb": 13.2}
    student = StudentComparison(
        manifest=STUDENT,
        p=P,
        figures={"ensemble": figures, "student": figures | {"f2": 0.90871}},
        f2=Difference(-0.00363, -0.0081, 0.0012),
        map=Difference(0.0, -0.01, 0.01),
        milliseconds={"ensemble": 153.04, "student": 7.26},
    )
    page = browse(render_report(verdict(student=student)))
    for told in ("0.9087", "0.9123", "153.0", "7.3", "-0.0036 (-0.0081 to +0.0012)", "pupil", "50 % of each target"):
        assert told in page.text
    assert "Student" not in browse(render_report(verdict())).text


def test_what_fewer_views_cost_stands_on_the_page(browse: Browse) -> None:
    """Each number with its figures, the one that is served by name; without several views there is no such section."""
    modes = ModeComparison(
        served=Mode(2, "int8"),
        chips=300,
        figures={PIPELINE: {"f2": 0.91234, "map": 0.93}, Mode(2, "int8"): {"f2": 0.90871, "map": 0.93}},
        f2={Mode(2, "int8"): Difference(-0.00363, -0.0081, 0.0012)},
        map={Mode(2, "int8"): Difference(0.0, -0.01, 0.01)},
        milliseconds={PIPELINE: 153.04, Mode(2, "int8"): 41.26},
        quantised=("deep",),
    )
    page = browse(render_report(verdict(modes=modes)))
    for told in ("0.9087", "0.9123", "153.0", "41.3", "-0.0036 (-0.0081 to +0.0012)", "2-int8, served", "300 chips"):
        assert told in page.text
    assert "deep compute in 8-bit integers" in page.text
    assert "Views" not in browse(render_report(verdict())).text


def test_the_document_has_the_agreed_keys() -> None:
    """Nothing is missing and nothing is added: other programs read it."""
    content = document()
    assert list(content) == ["holdout", "oof", "learners", "stackers", "rules", "ladder"]
    assert set(content["ladder"]["mean"]) == {"mean", "low", "high", "map", "map_low", "map_high"}
    assert set(content["holdout"]) == {"f2", "map", "n", "f2_low", "f2_high"}
    assert set(content["oof"]) == {"f2", "map"}
    assert set(content["learners"]) == {"poor", "good", "few"}
    assert all(set(figures) == {"f2", "map"} for figures in content["learners"].values())
    assert all(set(figures) == {"f2", "map"} for figures in content["stackers"].values())
    assert all(set(figures) == {"f2"} for figures in content["rules"].values())


def test_the_hold_out_is_scored_from_its_rows() -> None:
    """F2 is the mean over chips, its interval lies around it, and mAP leaves out the label that never holds."""
    holdout = document()["holdout"]
    assert holdout["n"] == 4
    assert holdout["f2"] == pytest.approx((1 + 5 / 6 + 5 / 9 + 0) / 4)
    assert 0 <= holdout["f2_low"] < holdout["f2"] < holdout["f2_high"] <= 1
    sun, tree, kiln = (1 + 1 + 3 / 4) / 3, (1 + 1 + 3 / 4) / 3, 1 / 2
    assert holdout["map"] == pytest.approx((sun + tree + kiln) / 3)


def test_a_figure_that_is_missing_is_named() -> None:
    """A learner without mAP is an error, not a gap in the file."""
    with pytest.raises(InputError, match="'map'"):
        metrics_document(
            Y,
            P,
            predicted=PREDICTED,
            oof={"f2": 0.5},
            learners={},
            stackers={},
            rules={},
            ladder={},
            draws=singly(Y, resamples=10, seed=1),
        )


def test_a_terminal_shows_the_verdict_in_a_few_lines() -> None:
    """The hold-out's F2 is the mean of 1, 5/6, 5/9 and 0."""
    metrics = document() | analysis().to_json()
    first, *lines = summary(metrics).splitlines()
    assert first.startswith("hold-out F2 0.5972 (95 %: ") and first.endswith(", 4 chips")
    assert lines == [
        "out of fold F2 0.6100, mAP 0.5100",
        "learners: poor 0.4411, good 0.5522, few 0.9933",
        "stackers: mean 0.5000, xgboost 0.6022",
        "rules: fixed 0.6022, threshold 0.6100, per_label 0.6050, expected 0.6000",
        "rare, average precision without -> with: kiln 0.25 -> 0.28, mine 0.50 -> 0.40",
        "their mean: 0.2500 -> 0.2820, +0.0321 (+0.0100 to +0.0500)",
    ]
    assert len(summary(metrics | {"rare": {}, "rare_map": {}}).splitlines()) == 5


def test_the_label_table_has_known_answers() -> None:
    """One row a label in column order; the label that never holds has no average precision."""
    table = per_label_table(Y, P, predicted=PREDICTED, labels=LABELS)
    assert list(table.columns) == ["label", "count", "precision", "recall", "f2", "average_precision", "share"]
    assert list(table["label"]) == list(LABELS)
    assert list(table["count"]) == [3, 3, 1, 0]
    assert list(table["share"]) == [0.75, 0.75, 0.25, 0]
    assert list(table["precision"]) == pytest.approx([1, 2 / 3, 0, 0])
    assert list(table["recall"]) == pytest.approx([2 / 3, 2 / 3, 0, 0])
    assert list(table["f2"]) == pytest.approx([5 * (2 / 3) / (4 + 2 / 3), 2 / 3, 0, 0])
    assert table["average_precision"][2] == 0.5
    assert math.isnan(table["average_precision"][3])


def test_the_page_names_everything(browse: Browse) -> None:
    """Each learner, stack, rule, label, chip, run and hash, the note, the headline and the faults can be read there."""
    page = browse(render_report(verdict()))
    named = {
        *("toy", "These chips are a toy.", "0.5972", "1,234", "0.17"),
        *("poor", "good", "few", "mean", "xgboost", "fixed", "threshold", "per_label", "expected", *LABELS),
        *("0.4411", "0.5522", "0.9933", "-0.1111", "+0.0321"),
        *("chip_3", "3,210 chips were left out", "1 other fault was reported", "reports/data.html"),
        *("c0ffee", "not committed", "train@good", "run-17", "data/ingest", "d41d8.dir"),
    }
    assert {name for name in named if name not in page.text} == set()
    assert page.open == []


def test_the_page_stands_alone(browse: Browse) -> None:
    """All it loads are the pictures it carries: no address, no script, no style sheet, no import in its style."""
    html = render_report(verdict())
    page = browse(html)
    shown = (b"worst picture", b"doubted picture")
    assert page.addresses == ["data:image/jpeg;base64," + base64.b64encode(each).decode() for each in shown]
    assert page.tags.isdisjoint({"script", "link", "iframe", "object", "embed", "base"})
    assert not any(word in html for word in ("http:", "https:", "url(", "@import", 'src="//'))


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": HOSTILE},
        {"note": HOSTILE},
        {"metrics": document() | {"learners": {HOSTILE: {"f2": 0.5, "map": 0.5}}}},
        {"per_label": per_label_table(Y, P, predicted=PREDICTED, labels=[HOSTILE, *LABELS[1:]])},
        {"worst": [Chip(HOSTILE, b"", 0.0, [HOSTILE], [HOSTILE, "other"])]},
        {"worst": [Chip("", b"", 0.0, [], [HOSTILE])]},
        {
            "noise": dataclasses.replace(
                NOISE, chips=[DoubtedChip(HOSTILE, b"", HOSTILE, [HOSTILE], {HOSTILE: 1}, {HOSTILE: 0})]
            )
        },
        {"origin": Origin(git_commit="", uncommitted_changes=False, runs={HOSTILE: ""}, dvc={})},
        {"origin": Origin(git_commit="", uncommitted_changes=False, runs={}, dvc={"": HOSTILE})},
    ],
)
def test_hostile_names_stay_text(changes: dict[str, Any], browse: Browse) -> None:
    """A name that is a script and breaks out of quotes is shown letter by letter, and opens no tag or attribute."""
    page, harmless = browse(render_report(verdict(**changes))), browse(render_report(verdict()))
    assert HOSTILE in page.text
    assert page.tags <= harmless.tags
    assert page.attributes <= harmless.attributes
    assert page.open == []


def test_what_stacking_adds_is_measured_by_one_rule_on_the_same_chips(browse: Browse) -> None:
    """The used stack less the best learner of all labels; the rare one's higher F2 is over other chips."""
    assert (
        "+0.0500 F2 of all learners together, by xgboost, is 0.6022; of the best one alone, good, 0.5522."
        in browse(render_report(verdict())).text
    )
    assert (
        "-0.0522 F2 of all learners together, by mean, is 0.5000" in browse(render_report(verdict(stacker="mean"))).text
    )


def test_how_it_answers_names_who_does(browse: Browse) -> None:
    """All learners by their stack; of the stack single the one that answers alone."""
    assert "learners, stacked by xgboost, decided by threshold at 0.17" in browse(render_report(verdict())).text
    stackers = {"stackers": document()["stackers"] | {"single": {"f2": 0.5522, "map": 0.5}}}
    alone = verdict(stacker="single", metrics=document() | stackers)
    assert "How it answers good alone, decided by threshold at 0.17" in browse(render_report(alone)).text


def test_the_learners_stand_best_first(browse: Browse) -> None:
    """One that predicts some labels only comes last, says so, and is never called the best."""
    text = browse(render_report(verdict())).text
    rows = text[text.index("Against the best") : text.index("Stackers All learners")]
    assert rows.index("good") < rows.index("poor") < rows.index("few") < rows.index("predicts 2 labels only")
    assert rows.count(" best ") == 2  # the column's head, and the one badge
    assert rows.index(" best ", rows.index("good")) < rows.index("poor")


def test_the_split_is_told(browse: Browse) -> None:
    """Chips of one scene stay together, or the reader is warned."""
    assert "stay together" in browse(render_report(verdict())).text
    assert "new places may score lower" in browse(render_report(verdict(split="chip"))).text


def test_a_label_that_does_not_occur_has_no_scores(browse: Browse) -> None:
    """It is in the table, without figures that would read as failure, and not in the plot."""
    html = render_report(verdict())
    text = browse(html).text
    assert "4 mine 0 0.0 % does not occur" in text
    assert "nan" not in text.lower()
    assert "<title>sun: recall 0.667, precision 1.000</title>" in html
    assert "<title>mine" not in html


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"analysis": dataclasses.replace(analysis(), rare=None)}, "Rare labels"),
        ({"note": ""}, "These chips are a toy."),
        ({"operating": []}, "From where on to believe it"),
        ({"worst": []}, "got most wrong"),
        ({"noise": dataclasses.replace(NOISE, doubted=0)}, "Est. wrong"),
        ({"noise": dataclasses.replace(NOISE, held_out=0)}, "which no model saw"),
        ({"noise": dataclasses.replace(NOISE, corrected=0)}, "not as the source says"),
        ({"threshold": None, "rule": "expected"}, "at 0.17"),
        ({"origin": Origin(git_commit="", uncommitted_changes=False, runs={}, dvc={})}, "not committed"),
        ({"partial": {"few": 2, "good": 2, "poor": 2}}, "What stacking adds"),
        ({"metrics": document() | {"learners": {"good": {"f2": 0.5, "map": 0.4}}}}, "learners, stacked"),
    ],
)
def test_what_is_not_there_leaves_no_trace(changes: dict[str, Any], gone: str, browse: Browse) -> None:
    """The page is whole without rare labels, pictures, a threshold, a commit, or a learner to compare."""
    page = browse(render_report(verdict(**changes)))
    assert gone in browse(render_report(verdict())).text
    assert gone not in page.text
    assert page.open == []


@pytest.mark.parametrize("f2", [0.0, 1.0])
def test_the_scale_holds_the_extremes(f2: float) -> None:
    """A hold-out of nothing but 0, or 1, is drawn inside the headline's scale, which ends at 1."""
    metrics = document()
    metrics["holdout"] |= {"f2": f2, "f2_low": f2, "f2_high": f2}
    html = render_report(verdict(metrics=metrics))
    centre = 8.0 if f2 == 0 else 392.0
    assert f'<circle cx="{centre}" cy="24"' in html
    assert 'text-anchor="end">1.0</text>' in html


def test_an_alarm_stands_on_top_and_says_how_often_it_is_false(browse: Browse) -> None:
    """With its difference; without one the page says that there is none."""
    page = browse(render_report(verdict(alarms={"good": 0.0789})))
    assert "Alarm. F2 of good is 0.0789 better out of fold than on the hold-out" in page.text
    assert "in one of 1,000 honest streams" in page.text
    calm = browse(render_report(verdict()))
    assert "Alarm." not in calm.text and "Nothing scores better out of fold than its hold-out allows" in calm.text


def test_the_ladder_is_drawn_and_said_in_words(browse: Browse) -> None:
    """Each stack with its difference from the best learner, and whom the blend believes."""
    page = browse(render_report(verdict()))
    assert "The stack beats its best learner." in page.text
    assert "+0.0500 (+0.0300 to +0.0700)" in page.text and "-0.0222 (-0.0400 to +0.0100)" in page.text
    assert "Whom the blend believes" in page.text and "0.77" in page.text


def test_what_the_rare_learners_bring_has_a_colour_only_where_it_is_more_than_luck(browse: Browse) -> None:
    """The mean in words, then each label."""
    html = render_report(verdict())
    told = html[html.index("<h2>Rare labels</h2>") :]
    told = told[: told.index("</section>")]
    text = browse(told).text
    assert "2 labels: 0.2500 without, 0.2820 with, +0.0321 (+0.0100 to +0.0500)" in text
    assert "-0.100 (-0.300 to +0.100)" in text
    kiln, mine = told.index("kiln</th>"), told.index("mine</th>")
    assert 'class="up"' in told[kiln:mine] and 'class="open"' not in told[kiln:mine]
    assert 'class="open"' in told[mine:]


def test_doubted_labels_are_counted_shown_and_told_apart(browse: Browse) -> None:
    """The label with the highest estimate first; of a chip, what the models would add and what they would remove."""
    html = render_report(verdict())
    text = browse(html).text
    assert "3 labels of 2 chips , 1 of them of the hold-out" in text.replace("chips,", "chips ,")
    assert "5 wrong labels of 200, 2.3 %" in text
    assert text.index("tree 31 1 2 5 0.876") < text.index("mine 0 0 0 0 \N{EN DASH}")
    assert (
        '<span class="tag missed">kiln 0.99</span><span class="tag wrong">tree 0.01</span><span class="tag">sun</span>'
        in html
    )
    assert "29 labels are not as the source says, 3 of them of the hold-out: datasets/toy.corrections.csv" in text
    none = browse(render_report(verdict(noise=dataclasses.replace(NOISE, doubted=0)))).text
    assert "None: where the models are confident, they agree with the labels." in none


def test_rare_labels_and_alerts_show_from_where_on_they_are_believed(browse: Browse) -> None:
    """Threshold, recall and precision with intervals; a dash where no threshold has the precision asked for."""
    text = browse(render_report(verdict())).text
    assert "mine 0.5 \N{EN DASH} \N{EN DASH} \N{EN DASH}" in text
    assert "kiln 0.5 0.3217 0.400 (0.200 to 0.650) 0.600 (0.450 to 0.750) 7" in text
    assert "tree alert 0.85 0.3217 0.000 (0.200 to 0.650) \N{EN DASH} 7" in text


def test_another_beta_is_named_and_stands_before_f2(browse: Browse) -> None:
    """With F2 there is nothing to tell."""
    rules = {name: figures | {"fbeta": 0.3333} for name, figures in document()["rules"].items()}
    text = browse(render_report(verdict(beta=1.0, metrics=document() | {"rules": rules}))).text
    assert "All are made for F1, and the best is chosen by it." in text
    assert "answers from 0.5 on" in text and "threshold used 0.3333 0.6100" in text
    assert "All are made for" not in browse(render_report(verdict())).text
    assert "rules, by the F-beta that they are made for: fixed 0.3333" in summary(
        document() | analysis().to_json() | {"rules": rules}
    )


def test_the_page_shows_what_lies_behind_the_score(browse: Browse) -> None:
    """Figures with intervals, the group, both pictures of the stack and each curve can be read there."""
    html = render_report(verdict(analysis=analysis()))
    page = browse(html)
    shown = {
        *("What each learner is worth", str(GAIN), str(LOSS), "only alone predicts some label"),
        *("Dehazed chips against raw ones", "They differ in their chips only", "+0.032 (+0.010 to +0.050)"),
        *("Nir chips against raw ones", "what their searches found: dropout. So the comparison is not quite fair"),
        *("What each label costs", "+0.0765 (+0.0600 to +0.0900) 1,234 56"),
        *("kiln tree 41 50.5 % 12.3 %", "sun 2,345 6", "3 chips with none of them, or with several, are left out"),
        *("Precision against recall", "AP 0.654, 12", "the label's alert"),
        *("What moves the stack", "used (xgboost)", "987 hold-out chips, in logits", "Trees correct 1 of 2 labels"),
        *("sun 2.34 0.00", "kiln 0.17 0.06 few on sun 0.16"),
    }
    assert {text for text in shown if text not in page.text} == set()
    assert 'points="50.0,0.0 100.0,75.0 "' in html
    assert "answers: recall 0.750, precision 0.500" in html and "alert: recall 0.100, precision 0.900" in html
    assert page.open == []


def test_the_page_says_which_picture_of_the_stack_it_shows(browse: Browse) -> None:
    """Without trees the weighted sum alone is shown; of a stack of probabilities it says so."""
    moved = dataclasses.replace(analysis().contributions, features={}, method="mean", scale="probabilities")
    page = browse(render_report(verdict(analysis=dataclasses.replace(analysis(), contributions=moved))))
    assert "in probabilities. No trees correct it. So what is shown is the weighted sum alone" in page.text
    assert "how far its probability lies from the mean" in page.text
    assert "few on sun" not in page.text and "pred_contribs" not in page.text


def test_an_analysis_with_little_to_show_leaves_no_trace(browse: Browse) -> None:
    """One learner, no mistakes, no group: the page is whole without these sections."""
    bare = dataclasses.replace(analysis(), worths={}, irreplaceable=(), views=(), swaps=(), group=None, curves=())
    page = browse(render_report(verdict(analysis=bare)))
    for gone in ("What each learner is worth", "against raw ones", "taken for which", "left out."):
        assert gone not in page.text
    assert page.open == []
    only = dataclasses.replace(analysis(), swaps=())
    assert "sun 2,345 6" in browse(render_report(verdict(analysis=only))).text


def test_hostile_names_stay_text_in_the_analysis(browse: Browse) -> None:
    """A label and a learner that are scripts open no tag or attribute."""
    page, harmless = (
        browse(render_report(verdict(analysis=each))) for each in (analysis(HOSTILE, HOSTILE), analysis())
    )
    assert HOSTILE in page.text
    assert page.tags <= harmless.tags and page.attributes <= harmless.attributes
    assert page.open == []
