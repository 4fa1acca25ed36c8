#!/usr/bin/env python3
"""Draws what a benchmark of speed found beside its peer: a dot a median, a line from the least to the most, in turns of one run.

Usage: speeds.py push-t-speed | learn-speed, in docs/results; writes NAME.svg beside NAME.json.
"""
import json
import math
import sys

name = sys.argv[1]
data = json.load(open(name + ".json"))
rows = {
    "push-t-speed": lambda: [("gym-pusht's own loop", data["gym_pusht"]), ("the simulation", data["enpire"]), ("the planner's model", data["model"])],
    "learn-speed": lambda: [
        (f"{words}, {who}", data[what][side]) for what, words in (("cloning", "cloning"), ("reinforcement", "soft actor-critic"))
        for side, who in (("pytorch", "PyTorch"), ("enpire", "here"))],
}[name]()

# --- a logarithmic scale, with a line at each power of ten and at twice and five times that ---
left, right, height = 220, 640, 24
low, high = min(row["least"] for _, row in rows) / 1.2, max(row["most"] for _, row in rows) * 1.2
x = lambda value: left + (right - left) * math.log(value / low) / math.log(high / low)
ticks = [digit * 10 ** power for power in range(8) for digit in ((1,) if high / low > 100 else (1, 2, 5)) if low <= digit * 10 ** power <= high]
lines = [
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{right + 60}" height="{height * len(rows) + 50}" font-family="sans-serif" font-size="12">',
    '<style>text{fill:#333} .g{stroke:#ccc} .i{stroke:#2a6f97;stroke-width:3} .d{fill:#013a63}'
    '@media (prefers-color-scheme:dark){text{fill:#ddd} .g{stroke:#555} .i{stroke:#61a5c2} .d{fill:#a9d6e5}}</style>',
]
for tick in ticks:
    lines.append(f'<line class="g" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="10" y2="{height * len(rows) + 20}"/>')
    lines.append(f'<text x="{x(tick):.1f}" y="{height * len(rows) + 38}" text-anchor="middle">{tick:,}</text>')
for index, (words, row) in enumerate(rows):
    y = 20 + height * index
    lines.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{words}</text>')
    lines.append(f'<line class="i" x1="{x(row["least"]):.1f}" x2="{x(row["most"]):.1f}" y1="{y}" y2="{y}"/>')
    lines.append(f'<circle class="d" cx="{x(row["median"]):.1f}" cy="{y}" r="4"/>')
open(name + ".svg", "w").write("\n".join(lines + ["</svg>"]) + "\n")
