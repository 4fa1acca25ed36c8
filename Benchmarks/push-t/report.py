#!/usr/bin/env python3
"""Puts the results of a Push-T study into docs/results: the data as JSON, the intervals as SVG, both as a table in Markdown.

Usage: report.py OUTPUT-STEM TITLE TEXT-FILE NAME=RESULT.json…
RESULT is an evaluation's result, NAME what it is called in the table. TEXT-FILE says what was done; - for none.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from intervals import draw

stem, title, text, *pairs = sys.argv[1:]
rows = []
for pair in pairs:
    name, path = pair.split("=", 1)
    result = json.load(open(path))
    rate, steps = result["rate"], result.get("steps") or {}
    rows.append({
        "name": name, "purpose": result["purpose"], "trials": rate["trials"], "successes": rate["successes"], "unknown": rate["unknown"],
        "estimate": rate["estimate"], "lower": rate["lower"], "upper": rate["upper"], "method": rate["method"], "confidence": rate["confidence"],
        "median_steps": steps.get("median"), "p95_steps": steps.get("p95"), "seed_commitment": result.get("seed_commitment"),
        "policies": result.get("policies"),
    })
json.dump({"study": title, "rows": rows}, open(stem + ".json", "w"), indent=2)


def percent(value):
    return f"{100 * value:.1f}"


# --- the plot: a line an interval, a dot an estimate ---
left, right, height = 260, 700, 22
low = min(0.9, min(row["lower"] for row in rows)) if rows else 0
low = max(0, int(low * 10) / 10)
x = lambda value: left + (right - left) * (value - low) / (1 - low)
ticks = [low + (1 - low) * tick / 5 for tick in range(6)]
draw(
    stem + ".svg", [(row["name"], row["lower"], row["estimate"] or 0, row["upper"]) for row in rows],
    [(value, percent(value) + " %") for value in ticks], x, left, right, height)

# --- the page ---
words = "" if text == "-" else open(text).read().strip() + "\n\n"
table = ["| | successes | rate | 95 % interval | steps, median | 95 % within |", "|---|---|---|---|---|---|"]
for row in rows:
    table.append(
        f'| {row["name"]} | {row["successes"]} of {row["trials"]}{", " + str(row["unknown"]) + " unknown" if row["unknown"] else ""} '
        f'| {percent(row["estimate"])} % | {percent(row["lower"])}–{percent(row["upper"])} | {row["median_steps"] or "–"} | {row["p95_steps"] or "–"} |')
name = stem.split("/")[-1]
page = f"# {title}\n\n{words}" + "\n".join(table) + f"\n\n![Success rates with their intervals]({name}.svg)\n\nData: [{name}.json]({name}.json).\n"
open(stem + ".md", "w").write(page)
print(page)
