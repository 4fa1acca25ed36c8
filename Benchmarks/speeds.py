#!/usr/bin/env python3
"""Draws what a benchmark of speed found beside its peer: a dot a median, a line from the least to the most, in turns of one run.

Usage: speeds.py push-t-speed | learn-speed, in docs/results; writes NAME.svg beside NAME.json.
"""
import json
import math
import sys

from intervals import draw

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
draw(
    name + ".svg", [(words, row["least"], row["median"], row["most"]) for words, row in rows], [(tick, f"{tick:,}") for tick in ticks], x, left, right,
    height)
