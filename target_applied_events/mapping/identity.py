"""What an event is known by: its key in the ledger, its deduping key, and what ties it to its contact.

A change of what the keys are made from makes every event ever sent look new. So the form has a version, and tests pin
the keys that it gives.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from target_applied_events.mapping.template.notation import Unmappable, canonical, canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_applied_events.event import Json, Record

VERSION: Final = 1
"""The version of the form that keys are made from."""

KEY_BYTES: Final = 16
_EMAIL, _PHONE, _REMOTE_ID = "\x1femail\x1f", "\x1fphone\x1f", "\x1fremote_id\x1f"


def identity_of_content(shop: str, stream: str, row: Record, body: Mapping[str, Json]) -> bytes:
    """Write down what an event says: the same event of the same row is the same, a changed one is new.

    Args:
        shop: The shop's uuid.
        stream: The stream that the record came from.
        row: The key properties of the record; where it has none, the record itself.
        body: What is sent, without a deduping key; its metric's value is its only number.

    Raises:
        Unmappable: A text is no valid Unicode.
    """
    known: dict[str, Json] = {}
    for name, value in row.items():  # a comprehension is a call more, and most keys are text
        known[name] = value if isinstance(value, str) else canonical(value)
    said = _canonical_body(body, body["metric"]) if "metric" in body else body
    return canonical_bytes([VERSION, "content", shop, stream, known, said])


def _canonical_body(body: Mapping[str, Json], metric: Json) -> Mapping[str, Json]:
    """Give a body's only number its canonical form; all else in it is text."""
    if not isinstance(metric, dict) or "value" not in metric:
        return body
    value = metric["value"]
    reduced = canonical(value)
    return body if reduced is value else {**body, "metric": {**metric, "value": reduced}}


def identity_of_occasion(shop: str, stream: str, name: str, once_per: str) -> bytes:
    """Write down an event's occasion: whatever else changes, it stays the same event.

    Args:
        shop: The shop's uuid.
        stream: The stream that the record came from.
        name: The text of the template for the event's name.
        once_per: What the event happens once for.

    Raises:
        Unmappable: A text is no valid Unicode.
    """
    return canonical_bytes([VERSION, "occasion", shop, stream, name, once_per])


def ledger_key(identity: bytes, origin: bytes) -> bytes:
    """Give what the ledger knows an event by, 16 bytes; it differs for each endpoint.

    Args:
        identity: What the event says, or its occasion.
        origin: Scheme, host and port of the endpoint, in UTF-8.
    """
    return hashlib.blake2b(identity + origin, digest_size=KEY_BYTES).digest()


def deduping_key(identity: bytes) -> str:
    """Give what the endpoint may know an event by, 32 hexadecimal digits; the same for each endpoint."""
    return hashlib.blake2b(identity, digest_size=KEY_BYTES).hexdigest()


def record_key(record: Record, key_properties: Sequence[str]) -> str:
    """Write a record's primary key as one text; where it has none, the record itself without `_sdc_*`."""
    names = key_properties or [name for name in record if not name.startswith("_sdc_")]
    source: dict[str, Json] = {name: record.get(name) for name in names}
    try:
        return canonical_bytes([canonical(source)]).decode()
    except (Unmappable, TypeError):  # no valid Unicode, NaN: any text that is always the same will do
        return ascii(source)


def contact_identifiers(shop: str, contact: Mapping[str, str]) -> tuple[str, ...]:
    """Give what ties an event to its contact within its shop, each in the form in which two of them are compared."""
    found: tuple[str, ...] = ()
    if "email" in contact:
        found += (f"{shop}{_EMAIL}{contact['email'].lower()}",)
    if "phone" in contact:
        found += (f"{shop}{_PHONE}{_phone(contact['phone'])}",)
    if "remote_id" in contact:
        found += (f"{shop}{_REMOTE_ID}{contact['remote_id']}",)
    return found


def comparable(kind: str, identifier: str) -> str:
    """Give an identifier in the form in which two of its kind are compared.

    Emails compare in lower case, phones by their plus sign and digits, remote ids as they are.
    """
    match kind:
        case "email":
            return identifier.lower()
        case "phone":
            return _phone(identifier)
        case _:
            return identifier


def _phone(phone: str) -> str:
    digits = "".join(mark for mark in phone if mark in "0123456789")
    if not digits:
        return phone
    return f"+{digits}" if phone.lstrip(" (").startswith("+") else digits
