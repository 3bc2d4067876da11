"""By what a contact is known: its identifiers, and the form in which they are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

IDENTIFIERS = ("email", "phone", "remote_id")
"""In the order in which they decide whose event it is."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person in a shop.

    Attributes:
        number: Its number in the order of creation.
        id: Its uuid.
        email: As it came first.
        phone: As it came first.
        remote_id: As it came first.
        name: As it came last.
    """

    number: int
    id: str
    email: str | None = None
    phone: str | None = None
    remote_id: str | None = None
    name: str | None = None

    def answer(self) -> dict[str, str | None]:
        """Give what the endpoint tells of a contact."""
        return {"id": self.id, "email": self.email, "phone": self.phone, "remote_id": self.remote_id}

    def enriched(self, given: Mapping[str, str], free: frozenset[str]) -> Contact:
        """Fill what it lacks with what is given, as far as that is nobody else's, and take the latest name."""
        new = {name: given[name] for name in free}
        return replace(
            self,
            email=self.email or new.get("email"),
            phone=self.phone or new.get("phone"),
            remote_id=self.remote_id or new.get("remote_id"),
            name=given.get("name", self.name),
        )

    def keys(self) -> dict[str, str | None]:
        """Give its identifiers as they are compared."""
        return {name: comparable(name, getattr(self, name) or "") for name in IDENTIFIERS}


def comparable(name: str, text: str) -> str | None:
    """Give an identifier as it is compared, None where nothing is left: emails in lower case, phones `+` and digits."""
    text = text.strip()
    if name == "email":
        text = text.lower()
    elif name == "phone":
        text = "".join(char for char in text if char in "+0123456789")
        text = text if text.strip("+") else ""
    return text or None


def filled(given: Mapping[str, str]) -> dict[str, str]:
    """Drop what is blank."""
    return {name: text.strip() for name, text in given.items() if text.strip()}
