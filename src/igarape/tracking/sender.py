"""What carries an outbox's entries off: at once and here, or on a thread while the step is at work."""

import threading
import time
from collections.abc import Callable, Sequence

from igarape.errors import counted
from igarape.tracking.outbox import Entry, Outbox, seconds_for

LULL = 1.0  # seconds in which entries gather, so that an epoch's figures go together
SHORTEST, LONGEST = 0.5, 10.0  # seconds between two tries

Send = Callable[[Sequence[Entry]], None]


class Sender:
    """Sends a live outbox's entries in order, on a thread of its own, and tries again for as long as it takes."""

    def __init__(self, outbox: Outbox, send: Send) -> None:
        self.trouble: Exception | None = None  # the last one
        self._outbox, self._send = outbox, send
        self._ending, self._dismissed = threading.Event(), threading.Event()
        self._moved = time.monotonic()
        self._large = 0.0  # seconds that the files at hand may take besides
        self._thread = threading.Thread(target=self._work, name="sender", daemon=True)
        self._thread.start()

    def settle(self, patience: float) -> str:
        """Wait until all is sent, and remove the outbox; return "".

        When nothing could be sent for patience seconds, leave the outbox where it is and return what lies there and
        what to do.
        """
        self._moved = time.monotonic()
        self._ending.set()
        self._outbox.news.set()
        while self._thread.is_alive() and time.monotonic() - self._moved < patience + self._large:
            self._thread.join(0.05)
        self._dismissed.set()
        count, lost = self._outbox.unsent(), self._outbox.unwritten()
        self._outbox.close(remove=not count)
        if not count:
            return ""
        if lost:
            gone = counted(lost, "entry is", "entries are")
            return f"{gone} lost, as {self._outbox.folder} has no room. Make room."
        unsent = counted(count, "entry", "entries")
        return (
            f"{unsent} could not be sent ({self.trouble}), and wait in {self._outbox.folder}; when it answers again, "
            "type: igarape send."
        )

    def _work(self) -> None:
        """Send what there is, wait for news, and so on until the end."""
        pause = SHORTEST
        while not self._dismissed.is_set():
            entries, mark = self._outbox.batch()
            if not entries and self._ending.is_set():
                if not self._outbox.unwritten():
                    return
                time.sleep(SHORTEST)  # somebody may make room
            elif not entries:
                self._outbox.news.wait()
                self._outbox.news.clear()
                self._ending.wait(LULL)
            else:
                pause = self._carry(entries, mark, pause)

    def _carry(self, entries: Sequence[Entry], mark: int, pause: float) -> float:
        """Try to send entries; return how long to wait should the next ones not get through."""
        try:
            self._large = seconds_for(self._outbox.folder, entries)
            self._send(entries)
        except Exception as error:  # noqa: BLE001 - whatever it is, the entries are on disk, and it may pass
            self.trouble = error
            self._large = 0.0  # what refuses a file at once takes no time over it
            self._rest(pause)
            return min(2 * pause, LONGEST)
        self._outbox.sent(mark)
        self._large, self._moved = 0.0, time.monotonic()
        return SHORTEST

    def _rest(self, pause: float) -> None:
        """Wait before the next try: not long once the step has ended and waits for us."""
        if self._ending.wait(pause):
            time.sleep(SHORTEST)


def deliver(outbox: Outbox, send: Send) -> int:
    """Send all that an outbox holds, here and now; return how many entries. Raises what send raises."""
    count = 0
    while True:
        entries, mark = outbox.batch()
        if not entries:
            return count
        send(entries)
        outbox.sent(mark)
        count += len(entries)
