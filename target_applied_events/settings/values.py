"""What one setting's value must be: each check gives the value to use, or a ValueError that says what it should be."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from target_applied_events.settings.ledger_url import ledger_url_problem
from target_applied_events.shard import Shard

DEFAULT_API_URL = "https://core.appliedlabs.ai/v2026-04"

T = TypeVar("T")
Check = Callable[[object], T]


def is_absent(value: object) -> bool:
    """Whether a setting isn't given; Meltano hands an empty one over as an empty string."""
    return value is None or value == ""


def text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError("must be text.")  # noqa: TRY004 - SettingReader reads one kind of error
    return value


def path(value: object) -> Path:
    """A place in the file system."""
    if "\0" in text(value):
        raise ValueError("must be a path.")
    return Path(text(value)).expanduser()


def api_key(value: object) -> str:
    """A key that can stand in a header."""
    if not re.fullmatch(r"[!-~]+", text(value)):
        raise ValueError("must be the key alone, printable ASCII without white space (its value is not shown).")
    return text(value)


def uuid_text(value: object) -> str:
    """A uuid, in its usual form."""
    try:
        return str(uuid.UUID(text(value)))
    except ValueError:
        raise ValueError("must be a uuid, such as 66e4c0de-0000-4000-8000-000000000001.") from None


def one_of(*allowed: str) -> Check[Any]:
    """One of the given words."""

    def check(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}.")
        return str(value)

    return check


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("must be a number.")  # noqa: TRY004 - as above
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):  # Python refuses to write an integer of some thousand digits
        raise ValueError("must be a number.") from None
    if not number.is_finite():
        raise ValueError("must be a number.")
    return number


def positive(value: object) -> float:
    """A number above 0."""
    number = float(_number(value))
    if not 0 < number <= 10**9:
        raise ValueError("must be a number greater than 0.")
    return number


def whole(least: int, most: int | None) -> Check[int]:
    """A whole number from `least` to `most`; without `most`, to any that makes sense."""
    bound = f"from {least} to {most}" if most is not None else f"of {least} or more"

    def check(value: object) -> int:
        number = _number(value)
        if not least <= number <= (10**12 if most is None else most) or number % 1:
            raise ValueError(f"must be a whole number {bound}.")
        return int(number)

    return check


def boolean(value: object) -> bool:
    """A truth value, also as the words that environments use."""
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    known = words.get(str(value).lower())
    if known is None:
        raise ValueError("must be true or false.")
    return known


def shard(value: object) -> Shard:
    """`2/8`: which shard, counted from 1, of how many."""
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text(value).strip())
    number, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= count:
        raise ValueError("must be written as 2/8: this run's shard, counted from 1, and how many there are.")
    return Shard(number, count)


def api_url(value: object) -> str:
    """An address to send to; plain http for loopback alone."""
    address = text(value).rstrip("/")
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise ValueError(f"must be a URL such as {DEFAULT_API_URL}.") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or not address.isprintable() or " " in address:
        raise ValueError(f"must be a URL such as {DEFAULT_API_URL}.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("must hold no user name, password, query or fragment; the key belongs in api_key.")
    if parts.path.endswith("/events"):
        raise ValueError(f"must end before /events, which the target adds: {address.removesuffix('/events')}.")
    if parts.scheme == "http" and not _is_loopback(parts):
        raise ValueError("must begin with https://; plain http is allowed for loopback addresses alone.")
    return address


def ledger_url(value: object) -> str:
    """A place for a ledger, or `none`."""
    if problem := ledger_url_problem(text(value)):
        raise ValueError(f"{problem.removeprefix('`ledger_url` ')}.")
    return text(value)


def _is_loopback(parts: SplitResult) -> bool:
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def origin(address: str) -> str:
    """Scheme, host and port of a URL that `api_url` let pass, as they are compared."""
    parts = urlsplit(address)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{port}"
