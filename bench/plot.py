"""Horizontal bars with their ranges, as SVG."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _LABEL, _ROW, _TITLE, _GAP = 460, 150, 22, 30, 20
_VALUE = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One program's figure in each round."""

    name: str
    values: tuple[float, ...]
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """A title and its bars, which share a scale."""

    title: str
    bars: list[Bar]


def draw(panels: Sequence[Panel]) -> str:
    """Draw the panels, two in a row."""
    height = _TITLE + max(len(panel.bars) for panel in panels) * _ROW + _GAP
    rows = (len(panels) + 1) // 2
    drawn = [_panel(panel, number % 2 * _WIDTH, number // 2 * height) for number, panel in enumerate(panels)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH} {rows * height}" '
        'font-family="sans-serif" font-size="12" role="img">\n'
        "<title>Events a second and CPU an event: medians, and a line from the lowest to the highest</title>\n"
        f'<rect width="{2 * _WIDTH}" height="{rows * height}" fill="#fff"/>\n' + "".join(drawn) + "</svg>\n"
    )


def _panel(panel: Panel, left: int, top: int) -> str:
    most = max(max(bar.values) for bar in panel.bars)
    scale = (_WIDTH - _LABEL - _VALUE) / most
    title = f'<text x="{left + 10}" y="{top + 20}" font-weight="bold" fill="#222">{escape(panel.title)}</text>\n'
    bars = [_bar(bar, left, top + _TITLE + row * _ROW, scale) for row, bar in enumerate(panel.bars)]
    return title + "".join(bars)


def _bar(bar: Bar, left: int, top: int, scale: float) -> str:
    start, middle = left + _LABEL, top + _ROW / 2
    median, lowest, highest = statistics.median(bar.values), min(bar.values), max(bar.values)
    colour = "#1b6ca8" if bar.is_ours else "#b5bcc4"
    return (
        f'<text x="{start - 6}" y="{middle + 4}" text-anchor="end" fill="#222">{escape(bar.name)}</text>'
        f'<rect x="{start}" y="{top + 3}" width="{median * scale:.1f}" height="{_ROW - 6}" fill="{colour}"/>'
        f'<path d="M{start + lowest * scale:.1f} {middle}H{start + highest * scale:.1f}" stroke="#222"/>'
        f'<text x="{start + highest * scale + 5:.1f}" y="{middle + 4}" fill="#222">{median:,.0f}</text>\n'
    )
