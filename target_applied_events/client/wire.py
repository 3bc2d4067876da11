"""A connection to the endpoint: one request and its answer at a time, none of which ever waits."""

from __future__ import annotations

import select
import ssl
from typing import TYPE_CHECKING, Final

from target_applied_events.client.answer import AnswerReader
from target_applied_events.event import PAGE_STARTS

if TYPE_CHECKING:
    import socket

    from target_applied_events.event import Answer

_MOST_IDLE_SECONDS: Final = 4.0
_MOST_AGE_SECONDS: Final = 300.0
_RECEIVED_BYTES: Final = 16 * 1024
"""A TLS record holds no more: after one receipt nothing is left behind that the socket's readiness wouldn't show."""

_NOT_NOW: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """Stands exactly behind the last answer whenever `is_reusable` says so.

    Attributes:
        is_reusable: Another request may follow.
    """

    __slots__ = (
        "_is_sent",
        "_opened_at",
        "_poll",
        "_reader",
        "_socket",
        "_unsent",
        "_used_at",
        "is_reusable",
    )

    def __init__(self, opened: socket.socket, now: float) -> None:
        """Take over an open socket; it is closed with this connection.

        Args:
            opened: The socket.
            now: Monotonic seconds, as in all methods.
        """
        opened.settimeout(0)
        self._socket = opened
        self._opened_at = self._used_at = now
        self._poll = select.poll()
        self._poll.register(opened, select.POLLIN)
        self._reader = AnswerReader()
        self._unsent = memoryview(b"")
        self._is_sent = True
        self.is_reusable = False

    def __repr__(self) -> str:
        """Tell whether it can take another request."""
        state = "closed" if self._socket.fileno() < 0 else "reusable" if self.is_reusable else "not reusable"
        return f"<Connection {state}, opened at {self._opened_at:.1f} s, used at {self._used_at:.1f} s>"

    def fileno(self) -> int:
        """Give the socket's descriptor, to wait on."""
        return self._socket.fileno()

    @property
    def has_unsent(self) -> bool:
        """Whether it waits for room to send the rest of the request."""
        return bool(self._unsent)

    def begin(self, request: bytes) -> None:
        """Send a request, as much of it as goes at once; `proceed` does the rest.

        Args:
            request: Headers and body.
        """
        self.is_reusable, self._is_sent = False, True
        self._reader = AnswerReader()
        self._unsent = memoryview(request)
        self._send()

    def proceed(self, now: float) -> Answer | None:
        """Send and receive what can be, once the socket is ready for it; gives the answer when it's whole.

        Raises:
            OSError: The connection broke.
            NotHttpError: What came back isn't HTTP, or is cut short; `cut_off` may still give an answer.
        """
        if self._unsent:
            self._send()
        try:
            reading = self._reader.feed(self._socket.recv(_RECEIVED_BYTES))
        except _NOT_NOW:
            return None
        if reading is None:
            return None
        self._used_at = now
        self.is_reusable = self._is_sent and not self._unsent and reading.reusable
        return reading.answer

    def cut_off(self) -> Answer | None:
        """Give the answer though its end never comes, where its head says enough: with a 2xx the event is taken.

        The request must have gone out whole. A page of HTML, or what may become one, isn't the endpoint's and says
        nothing.
        """
        answer = self._reader.cut_off()
        if answer is None or not self._is_sent or self._unsent:
            return None
        return answer if answer.status // 100 == 2 and not _may_be_page(answer) else None  # noqa: PLR2004 - HTTP's own

    def is_fresh(self, now: float) -> bool:
        """Tell whether the endpoint is likely to take another request on it."""
        if now - self._used_at > _MOST_IDLE_SECONDS or now - self._opened_at > _MOST_AGE_SECONDS:
            return False
        return not self._poll.poll(0)  # readable between requests: it was closed, or speaks out of turn

    def close(self) -> None:
        """Close it, without a word to the other side."""
        self._socket.close()

    def _send(self) -> None:
        """Send on; where the other side has stopped reading, its answer, if any, says more than the break."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except _NOT_NOW:
            pass
        except OSError:
            self._unsent, self._is_sent = memoryview(b""), False


def _may_be_page(answer: Answer) -> bool:
    """Tell a page by its label or by how its body begins, also where no more came than the beginning of that."""
    start = answer.first_word
    return answer.is_labelled_page or (bool(start) and any(page.startswith(start[: len(page)]) for page in PAGE_STARTS))
