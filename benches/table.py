"""The one table that the benchmark prints, a row at a time, and again as Markdown at the end."""

import dataclasses
import statistics

HEAD = ["", "measured", "latency", "throughput", "CPU of the proxy", "ratio", "goal", ""]


@dataclasses.dataclass
class Row:
    label: str
    title: str
    latency: str
    throughput: str
    cpu: str
    ratio: str
    goal: str
    met: bool | None  # None: a row that only informs

    def cells(self):
        verdict = {True: "met", False: "**not met**", None: ""}[self.met]
        return [self.label, self.title, self.latency, self.throughput, self.cpu, self.ratio, self.goal, verdict]


def markdown(rows):
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def plain(rows):
    """The table for a terminal: columns aligned."""
    lines = [HEAD, *([cell.replace("*", "") for cell in row.cells()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def seconds(value):
    """A time with three digits and the unit that suits it."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def number(value):
    """Three digits, never in powers of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def rate(value, unit):
    return f"{number(value)} {unit}/s"


def size(value):
    """A number of bytes, in the units that the goals are given in."""
    for factor, unit in ((1e6, "MB"), (1e3, "kB")):
        if value >= factor:
            return f"{number(value / factor)} {unit}"
    return f"{number(value)} B"


median = statistics.median
