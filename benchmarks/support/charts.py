"""One chart per suite, as PNG and SVG, for light and for dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from .report import RESULTS, Group, Report

pyplot.rcParams["svg.fonttype"] = "none"  # text stays text, at a tenth of the size
pyplot.rcParams["font.family"] = "sans-serif"

THEMES = {
    "light": {
        "text": "#1f2328",
        "grid": "#d0d7de",
        "peer": "#8c959f",
        "base": "#c4cbd2",
        "floor": "#54aeff",
        "us": "#1a7f37",
    },
    "dark": {
        "text": "#e6edf3",
        "grid": "#30363d",
        "peer": "#6e7681",
        "base": "#484f58",
        "floor": "#388bfd",
        "us": "#3fb950",
    },
}


def draw(report: Report) -> list[Path]:
    charts = {report.suite: [group for group in report.groups if group.chart and group.rows]}
    if report.summary is not None:
        charts[f"{report.suite}-summary"] = [report.summary]
    return [
        path
        for name, groups in charts.items()
        if groups
        for theme in THEMES
        for path in _draw(name, groups, theme)
    ]


def _draw(name: str, groups: list[Group], theme: str) -> list[Path]:
    colours = THEMES[theme]
    heights = [len(group.rows) + 1.6 for group in groups]
    figure, axes = pyplot.subplots(
        len(groups),
        1,
        figsize=(9, 0.3 * sum(heights)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    figure.patch.set_alpha(0)
    for axis, group in zip(axes[:, 0], groups, strict=True):
        _bars(axis, group, colours)
    paths = [RESULTS / f"{name}-{theme}.{kind}" for kind in ("png", "svg")]
    RESULTS.mkdir(exist_ok=True)
    for path in paths:
        figure.savefig(path, dpi=160, transparent=True)
    pyplot.close(figure)
    return paths


def _bars(axis: Any, group: Group, colours: dict[str, str]) -> None:
    labels = [row.label for row in group.rows]
    values = [row.value for row in group.rows]
    positions = range(len(labels))
    axis.barh(
        positions,
        values,
        xerr=[row.iqr / 2 for row in group.rows],
        height=0.7,
        color=[colours[row.owner] for row in group.rows],
        error_kw={"ecolor": colours["text"], "elinewidth": 0.7},
    )
    if group.log:
        axis.set_xscale("log")
    for position, row in zip(positions, group.rows, strict=True):
        text = f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.3g}"
        axis.annotate(
            text,
            (row.value + row.iqr / 2, position),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colours["text"],
        )
    axis.set_yticks(positions, labels, fontsize=8)
    axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.set_title(f"{group.title} [{group.unit}]", loc="left", fontsize=9, color=colours["text"])
    axis.tick_params(colors=colours["text"], labelsize=8, length=0)
    axis.grid(axis="x", color=colours["grid"], linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_facecolor("none")
    for spine in axis.spines.values():
        spine.set_visible(False)
