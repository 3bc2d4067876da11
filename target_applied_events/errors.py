"""The few errors that stop a run; everything else that can go wrong is a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TargetError(Exception):
    """A run can't go on; the message says what was seen, which setting governs it, and what to do."""

    exit_status = 1


class SettingsError(TargetError):
    """Settings are missing or wrong; found before any input is read.

    Attributes:
        problems: One sentence for each wrong setting, all of them at once.
    """

    exit_status = 2

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep each problem as its own sentence; their text together is the message."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class InputError(TargetError):
    """The input isn't Singer: a line that is no JSON, or a message that lacks what it needs."""


class SchemaError(TargetError):
    """A stream's SCHEMA can't be used: it is itself invalid."""


class MappingError(TargetError):
    """A stream's SCHEMA shows that a mapping can't work, or that the stream has none.

    Attributes:
        problems: One sentence for each mistake of each mapping, all of them at once.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep each problem as its own sentence; their text together is the message."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class EndpointError(TargetError):
    """The endpoint's reply, or its silence, means that no further event can be delivered.

    Attributes:
        details: The event that met it and the answer, for the run's own file and not for a log.
    """

    def __init__(self, message: str, details: Mapping[str, object] | None = None) -> None:
        """Keep the details beside the message."""
        super().__init__(message)
        self.details = details or {}


class LedgerError(TargetError):
    """The ledger can't be opened, read or written."""


class RejectedRecordsError(TargetError):
    """Rejected records can't be kept, or are too many."""


class InternalError(TargetError):
    """An invariant of this program does not hold; please report it."""


class StopReading(TargetError):  # noqa: N818 - no error: reading ends because it was asked to
    """A signal, or a standard output that takes nothing any more, asks the run to end.

    Attributes:
        exit_status: 128 and the signal's number; 1 where standard output can't be written.
    """

    def __init__(self, message: str, exit_status: int) -> None:
        """Keep the status the program ends with."""
        super().__init__(message)
        self.exit_status = exit_status


def said(error: OSError) -> str:
    """Give what the system said of a file or a stream, for a message that names it."""
    return error.strerror or "the system says no more"
