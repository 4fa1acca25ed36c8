#!/usr/bin/env python3
"""Puts the results of a Push-T study into docs/results: the data as JSON, the intervals as SVG, both as a table in Markdown.

Usage: report.py OUTPUT-STEM TITLE TEXT-FILE NAME=RESULT.json…
RESULT is an evaluation's result, NAME what it is called in the table. TEXT-FILE says what was done; - for none.
"""
import json
import sys

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
lines = [
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{right + 60}" height="{height * len(rows) + 50}" font-family="sans-serif" font-size="12">',
    '<style>text{fill:#333} .g{stroke:#ccc} .i{stroke:#2a6f97;stroke-width:3} .d{fill:#013a63}'
    '@media (prefers-color-scheme:dark){text{fill:#ddd} .g{stroke:#555} .i{stroke:#61a5c2} .d{fill:#a9d6e5}}</style>',
]
for tick in range(6):
    value = low + (1 - low) * tick / 5
    lines.append(f'<line class="g" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="10" y2="{height * len(rows) + 20}"/>')
    lines.append(f'<text x="{x(value):.1f}" y="{height * len(rows) + 38}" text-anchor="middle">{percent(value)} %</text>')
for index, row in enumerate(rows):
    y = 20 + height * index
    lines.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{row["name"]}</text>')
    lines.append(f'<line class="i" x1="{x(row["lower"]):.1f}" x2="{x(row["upper"]):.1f}" y1="{y}" y2="{y}"/>')
    lines.append(f'<circle class="d" cx="{x(row["estimate"] or 0):.1f}" cy="{y}" r="4"/>')
open(stem + ".svg", "w").write("\n".join(lines + ["</svg>"]) + "\n")

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
