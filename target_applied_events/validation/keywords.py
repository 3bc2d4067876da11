"""The keywords of JSON Schema that this project reads otherwise than jsonschema does.

The errors made here carry no text: it would hold the record's value, and making it can fail.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import jsonschema_rs
from jsonschema.exceptions import ValidationError

Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Iterable[ValidationError]]
"""As jsonschema calls it: with the validator, the keyword's value, the instance and the schema around."""

OF_ITEMS = frozenset({"additionalItems", "items", "prefixItems"})
"""The keywords that an array's items are held against."""


def redefined(keywords: Mapping[str, Keyword]) -> dict[str, Keyword]:
    """Return a draft's keywords with ours in their place."""
    ours = dict(keywords)
    ours |= {name: _passing_nulls(ours[name]) for name in OF_ITEMS & ours.keys()}
    ours |= {"required": _required, "multipleOf": _multiple_of, "pattern": _pattern}
    ours |= {"patternProperties": _pattern_properties, "additionalProperties": _additional_properties}
    return {name: _never_raising(keyword) for name, keyword in ours.items()}


def is_multiple(value: float | Decimal, divisor: float | Decimal) -> bool:
    """Whether a number is a whole multiple of another: exact, for any number of digits and any exponent."""
    top, bottom = (
        Decimal(repr(number)) if isinstance(number, float) else Decimal(number) for number in (value, divisor)
    )
    if not (top.is_finite() and bottom.is_finite() and bottom):
        return False
    (digits, exponent), (unit, unit_exponent) = _scaled(top), _scaled(bottom)
    shift = exponent - unit_exponent
    # `digits` ends in no zero: no multiple of ten divides it.
    return not top or (shift >= 0 and digits * pow(10, shift, unit) % unit == 0)


def _scaled(number: Decimal) -> tuple[int, int]:
    """Return a number's digits without the zeros at their end, and the power of ten that they are scaled by."""
    _, digits, exponent = number.as_tuple()
    zeros = len(digits) - len(bytes(digits).rstrip(b"\0"))
    # By way of Decimal, since int() refuses to read some thousand digits.
    return int(Decimal((0, digits[: len(digits) - zeros], 0))), int(exponent) + zeros


def _multiple_of(validator: Any, divisor: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - jsonschema's interface
    if validator.is_type(instance, "number") and not is_multiple(instance, divisor):
        yield ValidationError("")


def _required(validator: Any, names: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - as above
    """Place the error at what is missing; jsonschema names it in a message alone."""
    if validator.is_type(instance, "object"):
        yield from (ValidationError("", path=[name]) for name in names if name not in instance)


def _pattern(validator: Any, pattern: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - as above
    if validator.is_type(instance, "string") and not _found(pattern, instance):
        yield ValidationError("")


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # `\p{L}` is a pattern of JSON Schema that Python doesn't know
        return jsonschema_rs.is_valid({"pattern": pattern}, text)


def _pattern_properties(validator: Any, rules: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - as above
    if validator.is_type(instance, "object"):
        for (pattern, rule), name in itertools.product(rules.items(), instance):
            if _found(pattern, name):
                yield from validator.descend(instance[name], rule, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - as above
    """Place the error at each property that isn't allowed."""
    if not validator.is_type(instance, "object"):
        return
    listed, patterns = schema.get("properties", ()), schema.get("patternProperties", ())
    for name in instance:
        if name in listed or any(_found(pattern, name) for pattern in patterns):
            continue
        if rule is False:
            yield ValidationError("", path=[name])
        else:
            yield from validator.descend(instance[name], rule, path=name)


def _passing_nulls(own: Keyword) -> Keyword:
    """Allow null as an array's item."""

    def check(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - as above
        for error in own(validator, rule, instance, schema):
            if not (error.relative_path and instance[error.relative_path[0]] is None):
                yield error

    return check


def _never_raising(own: Keyword) -> Keyword:
    """Take what goes wrong while an error's text is made (5,000 digits can't be printed) for the error itself."""

    def check(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - as above
        try:
            yield from own(validator, rule, instance, schema)
        except (ArithmeticError, TypeError, ValueError, re.error):
            yield ValidationError("")

    return check
