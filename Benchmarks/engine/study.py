"""Times enpire beside ninja, make and (at 1,000 steps) Snakemake on the same graphs: what it costs to do nothing, little and everything.
Every figure is the median of rounds in which the engines take turns. Usage:
  study.py ENPIRE PEERS [--sizes 1000,10000] [--shapes layered,chain] [--rounds 7] [--full-rounds 3] [--engines enpire,ninja]
           [--data FILE.json] [--report FILE.md]
A second figure of enpire's, `watch`, is with `enpire watch` running; `bwrap` is with its steps in sandboxes."""
import argparse, atexit, json, math, os, shutil, statistics, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "trust"))
import engines, graphs

parser = argparse.ArgumentParser()
parser.add_argument("enpire")
parser.add_argument("peers")
parser.add_argument("--sizes", default="1000,10000")
parser.add_argument("--shapes", default="layered,chain,fan-out,fan-in,bipartite")
parser.add_argument("--engines", default="enpire,ninja,make,Snakemake")
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--full-rounds", type=int, default=3)
parser.add_argument("--jobs", default=str(os.cpu_count()))
parser.add_argument("--data")
parser.add_argument("--report")
options = parser.parse_args()
found = {engine.name: (engine, program) for engine, program in engines.found(options.enpire, options.peers, options.engines.split(","))}
arguments = {"enpire": ["run", "-s"], "ninja": ["--quiet"], "make": ["-rs"], "Snakemake": ["--quiet", "all", "--cores", options.jobs]}
# Nothing is removed before the end: ext4 without a journal looks at each inode that was freed in the last minutes whenever it makes a file.
home = tempfile.mkdtemp()
atexit.register(shutil.rmtree, home, True)
figures = []  # {shape, steps, scenario, engine, seconds: [...], memory: [...]}


class Workspace:
    """One engine's copy of a graph."""

    def __init__(self, root, engine, steps, shape=None, sandbox="none"):
        self.engine, self.steps, self.sandbox, self.place = engine, steps, sandbox, f"{root}/{engine}-{sandbox}"
        os.mkdir(self.place)
        self.program, self.appended, self.lines = found[engine][1], 0, 0
        graphs.prepare(self.place, steps)
        writer = graphs.write_enpire_bipartite if (engine, shape) == ("enpire", "bipartite") else graphs.WRITERS[engine]
        writer(self.place, steps)

    def run(self, weigh=False):
        """Seconds; with `weigh` the peak memory of the largest process too, in MB, which costs a millisecond."""
        command = [self.program, *arguments[self.engine]] + ([] if self.engine == "Snakemake" else ["-j" + options.jobs])
        # A child of this program would count this program's memory as its own.
        if weigh:
            command = ["/usr/bin/time", "-q", "-f", "%M", "-o", self.place + ".memory", *command]
        begin = time.perf_counter()
        subprocess.run(command, cwd=self.place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
                       env={**os.environ, "ENPIRE_SANDBOX": self.sandbox})
        seconds = time.perf_counter() - begin
        return seconds, int(open(self.place + ".memory").read()) / 1024 if weigh else 0

    def forget(self):
        away = tempfile.mkdtemp(dir=home)
        for path in ("o", ".enpire", ".ninja_log", ".ninja_deps", ".snakemake"):
            if os.path.exists(f"{self.place}/{path}"):
                os.rename(f"{self.place}/{path}", f"{away}/{path}")
        graphs.prepare(self.place, self.steps)

    def write(self, file, text):
        with open(f"{self.place}/{file}", "w") as out:
            out.write(text)

    # What is done before a run that is timed.
    def nothing(self):
        pass

    def touch(self):
        os.utime(f"{self.place}/leaf")

    def change(self):
        self.lines += 1
        self.write("leaf", f"{self.lines}\n")

    def repeat(self):
        """The cut's input gets a line more that its output has already."""
        self.lines += 1
        self.write("src/cut", "src/cut\n" * (self.lines + 1))

    def more(self):
        graphs.append(self.engine, self.place, self.steps, self.appended)
        self.appended += 1


def measure(shape, steps, scenario, spaces, act, rounds):
    """`spaces`: label to workspace. Each round runs all of them, every other round the other way round."""
    taken = {label: [] for label in spaces}
    for number in range(rounds):
        for label in list(spaces) if number % 2 == 0 else reversed(list(spaces)):
            getattr(spaces[label], act)()
            taken[label].append(spaces[label].run(weigh=act == "forget"))
    for label, values in taken.items():
        seconds = statistics.median(value[0] for value in values)
        memory = max(value[1] for value in values) or spaces[label].run(weigh=True)[1]
        figures.append({"shape": shape, "steps": len(steps), "scenario": scenario, "engine": label, "median": seconds,
                        "seconds": [round(value[0], 6) for value in values], "memory": round(memory, 1)})
        print(f"{shape} {len(steps)}: {scenario}: {label} {seconds:.4f} s, {memory:.1f} MB", flush=True)


def watched(space):
    """`enpire watch` over a workspace, once it watches."""
    watch = subprocess.Popen([space.program, "watch"], cwd=space.place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    watch.stderr.readline()
    return watch


def study(shape, size):
    steps = graphs.SHAPES[shape](size)
    root = tempfile.mkdtemp(dir=home)
    names = [name for name in found if name != "Snakemake" or (shape == "layered" and size <= 1000)]
    spaces = {name: Workspace(root, name, steps, shape) for name in names}
    full = options.full_rounds if size < 50_000 else 1
    measure(shape, steps, "everything", spaces, "forget", full)
    if shape == "layered" and size <= 1000:
        sandboxed = {"enpire, bwrap": Workspace(root, "enpire", steps, shape, "auto")}
        measure(shape, steps, "everything", sandboxed, "forget", full)
    for space in spaces.values():  # settle what is too young to be trusted
        time.sleep(0.05)
        space.run()
    quick = options.rounds
    measure(shape, steps, "nothing", spaces, "nothing", quick)
    measure(shape, steps, "touched", spaces, "touch", quick)
    measure(shape, steps, "one leaf", spaces, "change", quick)
    if shape == "layered":
        # make runs all that follows, so it is not asked.
        cuts = {name: space for name, space in spaces.items() if name in ("enpire", "ninja")}
        measure(shape, steps, "one step, cut off", cuts, "repeat", quick)
        measure(shape, steps, "one step more", {n: s for n, s in spaces.items() if n != "Snakemake"}, "more", quick)
        watch = watched(spaces["enpire"])
        try:
            spaces["enpire"].run()
            measure(shape, steps, "nothing", {"enpire, watch": spaces["enpire"]}, "nothing", quick)
            measure(shape, steps, "one leaf", {"enpire, watch": spaces["enpire"]}, "change", quick)
        finally:
            watch.terminate()
            watch.wait()


def start_up():
    for size in (2, 20):
        steps = graphs.chain(size)
        root = tempfile.mkdtemp(dir=home)
        spaces = {name: Workspace(root, name, steps) for name in found if name != "Snakemake"}
        for space in spaces.values():
            space.run()
            time.sleep(0.05)
            space.run()
        measure("chain", steps, "nothing", spaces, "nothing", 10 * options.rounds)


# MARK: The report

def figure(shape, steps, scenario, engine):
    return next((f for f in figures if (f["shape"], f["scenario"], f["engine"]) == (shape, scenario, engine) and f["steps"] == steps), None)


def form(seconds):
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms" if seconds >= 0.02 else \
        f"{1000 * seconds:.1f} ms"


def table(head, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def exponent(points):
    """The slope of log(seconds) over log(steps)."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    mean_x, mean_y = statistics.mean(xs), statistics.mean(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)


def report():
    engines_used = [e for e in ("enpire", "enpire, watch", "enpire, bwrap", "ninja", "make", "Snakemake") if any(f["engine"] == e for f in figures)]
    rows = []
    for key in dict.fromkeys((f["shape"], f["steps"], f["scenario"]) for f in figures):
        row = [f"{key[0]}, {key[1]:,} steps", key[2]]
        for engine in engines_used:
            one = figure(*key, engine)
            row.append(form(one["median"]) + (f" ({key[1] / one['median']:.0f}/s)" if key[2] == "everything" else "") if one else "")
        ours, theirs = figure(*key, "enpire"), figure(*key, "ninja")
        rows.append(row + [f"{ours['median'] / theirs['median']:.2f}" if ours and theirs else ""])
    text = table(["graph", "what has to be done", *engines_used, "enpire : ninja"], rows)
    layered = sorted({f["steps"] for f in figures if f["shape"] == "layered"})
    memory, growth = [], []
    for engine in engines_used:
        memory.append([engine] + [f"{one['memory']:.0f} MB" if (one := figure("layered", n, "nothing", engine)) else "" for n in layered]
                      + [f"{one['memory']:.0f} MB" if (one := figure("layered", n, "everything", engine)) else "" for n in layered])
        cells = [engine]
        for scenario in ("nothing", "one leaf", "one step more", "everything"):
            points = [(n, one["median"]) for n in layered if (one := figure("layered", n, scenario, engine))]
            cells.append(f"{exponent(points):.2f}" if len(points) > 1 else "")
        growth.append(cells)
    text += "\n\nPeak memory of the largest process, layered graphs:\n\n" + table(
        ["engine", *(f"nothing, {n:,}" for n in layered), *(f"everything, {n:,}" for n in layered)], memory)
    text += f"\n\nGrowth from {layered[0]:,} to {layered[-1]:,} steps, as the exponent of a power of the count (1 is linear):\n\n" + table(
        ["engine", "nothing", "one leaf", "one step more", "everything"], growth)
    return text


def plot(path):
    """Seconds to do nothing over steps, both logarithmic."""
    colours = {"enpire": "#0072b2", "enpire, watch": "#56b4e9", "ninja": "#d55e00", "make": "#009e73", "Snakemake": "#999999"}
    lines = {}
    for f in figures:
        if f["scenario"] == "nothing" and f["shape"] == "layered" and f["engine"] in colours:
            lines.setdefault(f["engine"], []).append((f["steps"], f["median"]))
    low, high = math.log10(min(y for l in lines.values() for _, y in l)) - 0.2, math.log10(max(y for l in lines.values() for _, y in l)) + 0.2
    left, right = math.log10(min(x for l in lines.values() for x, _ in l)) - 0.1, math.log10(max(x for l in lines.values() for x, _ in l)) + 0.1
    x = lambda value: 70 + 480 * (math.log10(value) - left) / (right - left)
    y = lambda value: 330 - 300 * (math.log10(value) - low) / (high - low)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 380" font-family="sans-serif" font-size="13">',
             '<rect width="700" height="380" fill="#fff"/>']
    for power in range(math.ceil(low), math.floor(high) + 1):
        height = y(10 ** power)
        parts.append(f'<path d="M70 {height:.1f}H550" stroke="#ddd"/><text x="62" y="{height + 4:.1f}" text-anchor="end">{10.0 ** power:g} s</text>')
    for power in range(math.ceil(left), math.floor(right) + 1):
        place = x(10 ** power)
        parts.append(f'<path d="M{place:.1f} 30V330" stroke="#ddd"/><text x="{place:.1f}" y="350" text-anchor="middle">{10 ** power:,}</text>')
    for engine, points in lines.items():
        points.sort()
        way = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colours[engine]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colours[engine]}"/>' for a, b in points]
        parts.append(f'<text x="{x(points[-1][0]) + 8:.1f}" y="{y(points[-1][1]) + 4:.1f}" fill="{colours[engine]}">{engine}</text>')
    parts.append('<text x="310" y="372" text-anchor="middle">steps in a layered graph</text>')
    parts.append('<text x="70" y="20">time of a run with nothing to do</text></svg>')
    with open(path, "w") as file:
        file.write("\n".join(parts) + "\n")


def locale():
    return next((f"`{name}={os.environ[name]}`" for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "none")


versions = {name: engine(program, ".").version() for name, (engine, program) in found.items()}


def save():
    """After each graph, so that what was measured is kept when the rest is not waited for."""
    if options.data:
        with open(options.data, "w") as file:
            json.dump({"benchmark": 1, "versions": versions, "processors": os.cpu_count(), "jobs": int(options.jobs), "figures": figures}, file, indent=1)
    if options.report and any(figure["shape"] == "layered" for figure in figures):
        stem = os.path.splitext(options.report)[0]
        name = os.path.basename(stem)
        plot(stem + ".svg")
        with open(options.report, "w") as file:
            file.write(f"""# Speed

What a run costs when there is nothing, little or everything to do: medians of {options.rounds} rounds ({options.full_rounds} where everything runs,
1 of 100,000 steps) in which the engines take turns, on {os.cpu_count()} processors, -j{options.jobs}, with files in the page cache.
{', '.join(f'{engine} {version}' for engine, version in versions.items())}. Made by `make bench-engine`
([Benchmarks/engine](../../Benchmarks/engine)); the single times are in [{name}.json]({name}.json).

A step copies its first input: `cp`, by its words, where the engine can do without a shell; ninja cannot. Layered graphs have three parents a step.
enpire runs with `--sandbox=none`, since the others have none; *bwrap* is with sandboxes, *watch* with `enpire watch` running. `touched`: a file has a
new time and the same bytes. `one leaf`: a file that one last step reads has other bytes. `cut off`: a first step runs again and writes what it wrote;
ninja's compares by itself (`restat`). `one step more` is written at the end of the manifest. Files are made where nothing was removed: ext4 without a
journal looks at each inode that was freed in the last minutes whenever it makes one, which slows whoever comes after a removal. enpire gives its steps
`LC_CTYPE=C.UTF-8`, the others the caller's locale (here {locale()}); by `LANG=C.UTF-8` `cp` reads thirteen files more.

![Time of a run with nothing to do]({name}.svg)

{report()}
""")


start_up()
for size in map(int, options.sizes.split(",")):
    for shape in options.shapes.split(","):
        if shape == "layered" or size == {"bipartite": 2000}.get(shape, 10000) or len(options.shapes.split(",")) == 1:
            study(shape, size)
            save()
if "bipartite" in options.shapes and max(map(int, options.sizes.split(","))) >= 2000:
    study("bipartite", 2000)
    save()
print("\n" + report())
