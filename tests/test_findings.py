"""What `igarape doctor` finds: one finding a check, in order, whatever a check does."""

import threading
import time

from igarape.errors import InputError
from igarape.findings import UNREACHED, Check, Finding, examine, found, good, warning, wrong


def test_each_check_has_one_finding_in_their_order() -> None:
    """With its name."""
    checks = [Check("disk", lambda: good("room")), Check("gpus", lambda: warning("one of two"))]
    assert list(examine(checks)) == [("disk", good("room")), ("gpus", warning("one of two"))]


def test_what_hangs_is_wrong_after_its_time_and_holds_up_nothing() -> None:
    """A server behind a firewall that drops what it is sent never answers; of a file no firewall is blamed."""
    forever = threading.Event()

    def hang() -> Finding:
        forever.wait()
        return good("never")

    begun = time.monotonic()
    checks = [Check("tracking", hang, 0.05, silence=UNREACHED), Check("disk", lambda: good("room"))]
    (_, silent), (_, after) = examine(checks)
    ((_, busy),) = examine([Check("tracking", hang, 0.05)])
    forever.set()
    assert time.monotonic() - begun < 10
    assert silent.level == "wrong" and "no answer within 0.05 seconds. See whether the address" in silent.said
    assert "disk is busy" in busy.said and "firewall" not in busy.said
    assert after == good("room")


def test_what_needs_a_check_that_failed_is_not_looked_at_nor_what_needs_that() -> None:
    """One fault is said once."""
    looked = []

    def look() -> Finding:
        looked.append("artifacts")
        return good("written")

    checks = [
        Check("tracking", lambda: wrong("down")),
        Check("auth", look, needs="tracking"),
        Check("artifacts", look, needs="auth"),
    ]
    assert [finding.level for _, finding in examine(checks)] == ["wrong", "unseen", "unseen"]
    assert looked == []


def test_a_warning_stops_nobody() -> None:
    """What works is enough for what needs it."""
    checks = [Check("auth", lambda: warning("a weak password")), Check("registry", lambda: good("1"), needs="auth")]
    assert [finding.level for _, finding in examine(checks)] == ["warning", "good"]


def test_an_error_is_a_finding() -> None:
    """One that people are meant to read stands as it is, another one with what it is called."""

    def refuse() -> Finding:
        raise InputError("params.yaml: not found")

    def crash() -> Finding:
        raise KeyError("remote")

    findings = [finding for _, finding in examine([Check("source", refuse), Check("dvc remote", crash)])]
    assert findings == [wrong("params.yaml: not found"), wrong("KeyError: 'remote'")]


def test_no_password_is_told_and_a_finding_is_one_line() -> None:
    """Wherever an address stands in what is said."""
    ((_, finding),) = examine([Check("tracking", lambda: wrong("cannot reach\nhttp://ana:p@ss@mlflow:5000/x?y=a@b"))])
    assert finding.said == "cannot reach http://...@mlflow:5000/x?y=a@b"


def test_doubts_make_a_warning() -> None:
    """They follow what was found."""
    assert found("as ana", []) == good("as ana")
    assert found("as ana", ["a weak password"]) == warning("as ana; a weak password")
