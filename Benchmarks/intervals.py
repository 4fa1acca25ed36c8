"""Draws intervals as SVG: a line each, with a dot in it, over a scale of their own. Knows no scale and no words."""

STYLE = ('<style>text{fill:#333} .g{stroke:#ccc} .i{stroke:#2a6f97;stroke-width:3} .d{fill:#013a63}'
         '@media (prefers-color-scheme:dark){text{fill:#ddd} .g{stroke:#555} .i{stroke:#61a5c2} .d{fill:#a9d6e5}}</style>')


def draw(path, rows, ticks, x, left, right, height):
    """`rows`: (name, lower, dot, upper); `ticks`: (value, text); `x` gives a value's place between `left` and `right`; `height` is a row's."""
    bottom = height * len(rows)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{right + 60}" height="{bottom + 50}" font-family="sans-serif" font-size="12">', STYLE]
    for value, text in ticks:
        lines.append(f'<line class="g" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="10" y2="{bottom + 20}"/>')
        lines.append(f'<text x="{x(value):.1f}" y="{bottom + 38}" text-anchor="middle">{text}</text>')
    for index, (name, lower, dot, upper) in enumerate(rows):
        y = 20 + height * index
        lines.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{name}</text>')
        lines.append(f'<line class="i" x1="{x(lower):.1f}" x2="{x(upper):.1f}" y1="{y}" y2="{y}"/>')
        lines.append(f'<circle class="d" cx="{x(dot):.1f}" cy="{y}" r="4"/>')
    with open(path, "w") as file:
        file.write("\n".join(lines + ["</svg>"]) + "\n")
