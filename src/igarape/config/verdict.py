"""The document of the verdict. It stands apart: where config.documents means something else, learners are made anew."""

from igarape.config import documents
from igarape.config.documents import Scores
from igarape.config.student import StudentScores


class Metrics(documents.Metrics):
    """reports/metrics.json: the verdict in figures, and what lies behind it, each with 95 % intervals.

    rare_map: where there are learners of rare labels, mean average precision of these, without and with them, and the
    difference. worth: of each learner, what the blend has more in F2 and mAP with it than without it. views: of each
    learner that differs from another in its chips only, what it has more. budget: F2 to win if a label were answered as
    it is. by_views: of each mode of a bundle, such as 4 or 4-int8: the scores, and what it has more in f2 and map than
    the pipeline; empty where there is one mode only. student: how well it does what the ensemble does; None where there
    is none.
    """

    rare_map: Scores
    worth: dict[str, Scores]
    views: dict[str, Scores]
    budget: dict[str, Scores]
    by_views: dict[str, dict[str, Scores]]
    student: StudentScores | None
