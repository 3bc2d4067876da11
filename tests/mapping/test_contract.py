from __future__ import annotations

from decimal import Decimal

import pytest

from target_applied_events.mapping.contract import Want, fit, properties
from target_applied_events.mapping.template.notation import Unmappable

UUID = "0B7f0a52-3c55-4a4e-9d0e-6f2a7f6f9a01"


@pytest.mark.parametrize(
    ("want", "value", "expected"),
    [
        (Want.TEXT, "x ", "x "),
        (Want.TEXT, 5, "5"),
        (Want.TEXT, Decimal("1E+3"), "1000"),
        (Want.TEXT, Decimal("0.000000001"), "0.000000001"),
        (Want.TEXT, True, "true"),
        (Want.TEXT, "", None),
        (Want.TEXT, " \n", None),
        (Want.TEXT, None, None),
        (Want.IDENTIFIER, " a\t", "a"),
        (Want.IDENTIFIER, " ", None),
        (Want.IDENTIFIER, 7, "7"),
        (Want.IDENTIFIER, Decimal("7.00"), "7"),
        (Want.IDENTIFIER, Decimal("7E+2"), "700"),
        (Want.IDENTIFIER, Decimal("120.50"), "120.5"),
        (Want.IDENTIFIER, Decimal("1E+20"), "100000000000000000000"),
        (Want.IDENTIFIER, 10**20, "100000000000000000000"),
        (Want.IDENTIFIER, Decimal("-0.0"), "0"),
        (Want.IDENTIFIER, "7.00", "7.00"),
        (Want.IDENTIFIER, True, "true"),
        (Want.TEXT, Decimal("120.50"), "120.50"),
        (Want.UUID, UUID, UUID.lower()),
        (Want.UUID, f" {UUID} ", UUID.lower()),
        (Want.UUID, "", None),
        (Want.UUID, None, None),
        (Want.NUMBER, 5, 5),
        (Want.NUMBER, Decimal("1.50"), Decimal("1.50")),
        (Want.NUMBER, " -1.50e3 ", Decimal("-1.50e3")),
        (Want.NUMBER, "+.5", Decimal("0.5")),
        (Want.NUMBER, " ", None),
        (Want.NUMBER, None, None),
        (Want.NUMBER, Decimal("1.7e308"), Decimal("1.7e308")),
        (Want.NUMBER, Decimal("1E-400"), Decimal("1E-400")),
        (Want.NUMBER, 10**308, 10**308),
        (Want.CONDITION, True, True),
        (Want.CONDITION, False, False),
        (Want.CONDITION, None, None),
    ],
)
def test_a_value_is_made_what_its_field_wants(want: Want, value: object, expected: object) -> None:
    found = fit(want, value)  # type: ignore[arg-type]  # any value of JSON
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("want", "value"),
    [
        (Want.TEXT, ["a"]),
        (Want.TEXT, {}),
        (Want.TEXT, Decimal("Infinity")),
        (Want.IDENTIFIER, []),
        (Want.UUID, "7"),
        (Want.UUID, 7),
        (Want.UUID, UUID.replace("-", "")),
        (Want.UUID, f"{{{UUID}}}"),
        (Want.UUID, "٣" * 8 + UUID[8:]),
        (Want.NUMBER, "1,5"),
        (Want.NUMBER, "0x10"),
        (Want.NUMBER, "1_000"),
        (Want.NUMBER, "Infinity"),
        (Want.NUMBER, "٣"),
        (Want.NUMBER, "1e99999999999999999999"),
        (Want.NUMBER, True),
        (Want.NUMBER, []),
        (Want.NUMBER, Decimal("NaN")),
        (Want.NUMBER, Decimal("1E+400")),
        (Want.NUMBER, "-1e309"),
        (Want.NUMBER, 10**309),
        (Want.TIME, 5),
        (Want.TIME, True),
        (Want.TIME, {}),
        (Want.CONDITION, 1),
        (Want.CONDITION, "true"),
        (Want.CONDITION, []),
    ],
)
def test_what_does_not_fit_its_field_is_unmappable(want: Want, value: object) -> None:
    with pytest.raises(Unmappable, match="found"):
        fit(want, value)  # type: ignore[arg-type]  # any value of JSON


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (" 2026-04-07T16:30:00.120+02:00 ", "2026-04-07T14:30:00.12Z"),
        ("now", "now"),
        (" now ", "now"),
        ("  ", None),
        (None, None),
    ],
)
def test_a_time_is_written_in_utc_and_now_stands_for_itself(found: str | None, expected: str | None) -> None:
    assert fit(Want.TIME, found) == expected


@pytest.mark.parametrize("found", ["NOW", "1775572200"])
def test_text_that_is_neither_a_time_nor_now_is_unmappable(found: str) -> None:
    with pytest.raises(Unmappable, match="no time"):
        fit(Want.TIME, found)


def test_properties_are_texts_and_empty_ones_go() -> None:
    value = {"a": 1, "b": None, "c": "", "d": [1, Decimal("1.50")], "e": False, "f": "x"}
    assert properties(value) == {"a": "1", "d": "[1,1.50]", "e": "false", "f": "x"}  # type: ignore[arg-type]
    assert properties(None) == {}
    with pytest.raises(Unmappable, match="found text; the endpoint wants an object of texts; the filter fromjson"):
        properties("{}")
