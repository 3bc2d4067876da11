"""What `check` finds: a closed set of signs, and the findings that need nothing but what was read."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from target_applied_events.delivery.reply import is_page, seen
from target_applied_events.event import Answer, Failure, NoAnswer, Reply
from target_applied_events.mapping import choose
from target_applied_events.mapping.template.paths import column_path, written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from target_applied_events.mapping import Declaration
    from target_applied_events.mapping.template import Template
    from target_applied_events.mapping.template.paths import Path

_LEFT_BY_TAPS = frozenset({"_sdc_deleted_at"})


class Sign(enum.Enum):
    """How a check came out; the value is how it's shown, and its colour."""

    GOOD = ("✓", "green")
    WRONG = ("✗", "red")
    WARNING = ("!", "yellow")
    NOT_TRIED = ("-", "cyan")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `check` says.

    Attributes:
        sign: How it came out.
        text: What was looked at; where it's wrong, the setting and what to do.
    """

    sign: Sign
    text: str


def of_mappings(declarations: Sequence[Declaration], columns: Collection[str], *, adds: bool) -> Iterator[Finding]:
    """Warn of mappings that work and may do something else than is meant.

    Args:
        declarations: The mappings.
        columns: The names of `_sdc_*` columns that schemas were seen to have.
        adds: Whether `add_record_metadata` is set.
    """
    for item in declarations:
        has_time, has_once = "event_time" in item.fields, "once_per" in item.fields
        if not has_time:
            returns = "" if has_once else "; without once_per too, a row that returns to earlier values makes no event"
            said = f"{item.label}: has no event_time, so the time of arrival is taken for it{returns}."
            yield Finding(Sign.WARNING, said)
        if not has_once and "metric.metric_name" in item.fields:
            yield Finding(
                Sign.WARNING,
                f"{item.label}: has a metric and no once_per, so a row that changes is counted again; "
                'name what happens once: once_per: "{{ id }}".',
            )
        if unasked := _read_by_name_alone(item):
            yield Finding(
                Sign.WARNING,
                f"{item.label}: its name reads {', '.join(unasked)}, which once_per doesn't: the event happens once "
                "for once_per, whatever its name says then. Where each of them is meant to be an event, put it into "
                "once_per too.",
            )
        missing = sorted(_sdc_columns(item) - _LEFT_BY_TAPS - set(columns))
        if missing and not adds:
            yield Finding(
                Sign.WARNING,
                f"{item.label}: names {', '.join(missing)}, which is null unless the tap sends it or "
                "add_record_metadata is set.",
            )


def _sdc_columns(declaration: Declaration) -> set[str]:
    templates = [template for _, _, template in declaration.wants()] + [item for _, item in declaration.others()]
    steps = (step for template in templates for path in template.paths for step in path[:2])
    return {step for step in steps if isinstance(step, str) and step.startswith("_sdc_")}


def _read_by_name_alone(declaration: Declaration) -> list[str]:
    """Name the columns that the name reads and `once_per` doesn't; none where there is no `once_per`."""
    if (once_per := declaration.fields.get("once_per")) is None:
        return []
    asked, read = _read(once_per), _read(declaration.fields["name"])
    alone = (path for path in read if not any(_leads_to(other, path) for other in asked))
    return sorted({written(path) or "record" for path in alone})


def _read(template: Template) -> set[Path]:
    """Give the places that a template reads, from the record's columns on; what a path leads through is none."""
    paths = template.paths
    ends = (path for path in paths if not any(path != other and _leads_to(path, other) for other in paths))
    return {column_path(path) for path in ends if path[0] != "stream"}


def _leads_to(path: Path, other: Path) -> bool:
    return other[: len(path)] == path


def of_streams(declarations: Sequence[Declaration], keyless: Collection[str]) -> Iterator[Finding]:
    """Warn of mappings whose events nothing tells apart but all that their rows hold.

    Args:
        declarations: The mappings.
        keyless: The streams that have no primary key.
    """
    for item in declarations:
        streams = [stream for stream in keyless if item in choose(declarations, stream)]
        if streams and "once_per" not in item.fields:
            many = len(streams) > 1
            yield Finding(
                Sign.WARNING,
                f"{item.label}: the stream{'s' if many else ''} {', '.join(streams)} {'have' if many else 'has'} no "
                "key_properties and the mapping no once_per, so rows that are alike count as one event; once_per or a "
                "key tells them apart.",
            )


def of_reply(reply: Reply, *, origin: str, shop_id: str | None) -> Iterator[Finding]:
    """Say what the answer to the contacts call tells of name, TLS, key and shop.

    Args:
        reply: What came back.
        origin: Scheme, host and port of the endpoint.
        shop_id: The shop that was asked for; None where no mapping names one before it has a record.
    """
    match reply:
        case NoAnswer():
            yield from _of_silence(reply, origin)
        case Answer():
            tls = ", its certificate verifies" if origin.startswith("https:") else ""
            yield Finding(Sign.GOOD, f"api_url: {origin} answers{tls}.")
            yield _of_answer(reply, shop_id)
        case _:
            assert_never(reply)


def _of_silence(silence: NoAnswer, origin: str) -> Iterator[Finding]:
    detail = f" ({silence.detail})" if silence.detail else ""
    match silence.failure:
        case Failure.UNREACHABLE:
            advice = "see that its name is right and its port can be reached from here"
        case Failure.UNTRUSTED:
            advice = "the certificate doesn't verify: REQUESTS_CA_BUNDLE names one's own authorities"
        case Failure.BROKEN:
            advice = "what came back is not HTTP, or broke off"
        case Failure.TIMED_OUT:
            advice = "no answer came within request_timeout"
        case _:
            assert_never(silence.failure)
    yield Finding(Sign.WRONG, f"api_url: no answer from {origin}{detail}: {advice}.")
    yield Finding(Sign.NOT_TRIED, "api_key and shop_id: not tried, since nothing answered.")


def _of_answer(answer: Answer, shop_id: str | None) -> Finding:  # noqa: PLR0911 - a return for each kind of answer
    said = seen(answer)
    shop = f"the shop {shop_id}" if shop_id else "any shop"
    if is_page(answer) or 300 <= answer.status <= 399:  # noqa: PLR2004 - HTTP's own numbers
        return Finding(Sign.WRONG, f"api_url: {said}, so this isn't the endpoint itself: give its own address.")
    match answer.status:
        case 401:
            return Finding(Sign.WRONG, f"api_key: {said}: the key is not good; one of Applied Labs begins with AL.")
        case 404 | 405:
            return Finding(
                Sign.NOT_TRIED,
                f"api_key and shop_id: not tried, since contacts can't be listed here ({answer.status}): see that "
                "the path of api_url is right.",
            )
        case 408 | 425 | 429:
            return Finding(Sign.NOT_TRIED, f"api_key and shop_id: not tried. {said}: look again later.")
        case status if status >= 500:  # noqa: PLR2004 - as above
            return Finding(Sign.WRONG, f"api_url: {said}: the endpoint is out of order, look again later.")
        case _ if shop_id is None:
            return Finding(Sign.NOT_TRIED, "shop_id: not tried, since it comes out of the records.")
        case 403:
            return Finding(Sign.WRONG, f"api_key or shop_id: {said}: the key doesn't open {shop}.")
        case status if status >= 400:  # noqa: PLR2004 - as above
            return Finding(Sign.WRONG, f"shop_id: {said} for {shop}: see that it is the right one, or api_key.")
        case _:
            return Finding(Sign.GOOD, f"api_key and shop_id: the key opens {shop}.")
