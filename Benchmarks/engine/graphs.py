"""Graphs of many small steps, and how each engine writes them down. A step is (output, inputs, kind): `cp` copies its first input and depends on
the others too, `cut` writes its input's lines sorted and once, so that a line that comes twice changes nothing.
Every graph has one leaf, a last step that copies the file `leaf`, and one cut, a first step on `src/cut`."""
import json, os


def layered(count, depth=None):
    """Three parents in the layer before; as many layers as steps in a layer, up to 100."""
    depth = depth or min(100, round(count ** 0.5))
    width = count // depth
    steps = []
    for layer in range(depth):
        for i in range(width):
            if layer:
                inputs = [f"o/{layer - 1}/{(i + k) % width}" for k in (0, 1, 7)]
            else:
                inputs = ["src/cut" if i == 0 else f"src/{i}"]
            if layer == depth - 1 and i == 0:
                inputs.insert(0, "leaf")
            steps.append((f"o/{layer}/{i}", inputs, "cut" if (layer, i) == (0, 0) else "cp"))
    return steps


def chain(count):
    return layered_ends([(f"o/{i // 100}/{i}", [f"o/{(i - 1) // 100}/{i - 1}" if i else "src/cut"], "cp" if i else "cut") for i in range(count)])


def fan_out(count):
    return layered_ends([("o/root", ["src/cut"], "cut")] + [(f"o/{i // 100}/{i}", ["o/root"], "cp") for i in range(count - 1)])


def fan_in(count):
    first = [(f"o/{i // 100}/{i}", ["src/cut"] if i == 0 else ["src/0"], "cp" if i else "cut") for i in range(count - 1)]
    return layered_ends(first + [("o/last", [output for output, _, _ in first], "cp")])


def bipartite(count):
    """Half of the steps need all of the others: a quarter of the count squared in edges."""
    half = count // 2
    first = [(f"o/a/{i}", ["src/0"], "cp") for i in range(half)]
    return layered_ends(first + [(f"o/b/{i}", [output for output, _, _ in first], "touch") for i in range(half)])


def layered_ends(steps):
    output, inputs, kind = steps[-1]
    return steps[:-1] + [(output, ["leaf", *inputs], "cp")]


SHAPES = {"layered": layered, "chain": chain, "fan-out": fan_out, "fan-in": fan_in, "bipartite": bipartite}


def goals(steps):
    needed = {file for _, inputs, _ in steps for file in inputs}
    return [output for output, _, _ in steps if output not in needed]


def prepare(place, steps):
    """The files that no step makes, and the directories for outputs."""
    made = {output for output, _, _ in steps}
    for folder in {os.path.dirname(output) for output in made} | {"src"}:
        os.makedirs(f"{place}/{folder}", exist_ok=True)
    for file in {file for _, inputs, _ in steps for file in inputs} - made:
        with open(f"{place}/{file}", "w") as out:
            out.write(f"{file}\n")


def name(output):
    return output.replace("/", "_")


def enpire_step(output, inputs, kind, made):
    refs = ["${step." + name(file) + "}" if file in made else file for file in inputs]
    run = {"cp": ["cp", "${in.a}", "${out.o}"], "cut": ["sort", "-u", "-o", "${out.o}", "${in.a}"], "touch": ["touch", "${out.o}"]}[kind]
    step = {"run": run, "in": {"a": refs} if kind == "touch" else {"a": refs[0], "b": refs[1:]} if refs[1:] else {"a": refs[0]}, "out": {"o": output}}
    return f'"{name(output)}": {json.dumps(step)}'


def write_enpire(place, steps):
    made = {output for output, _, _ in steps}
    with open(place + "/enpire.json", "w") as file:
        file.write('{"manifest": 1, "steps": {\n' + ",\n".join(enpire_step(*step, made) for step in steps))
    write_enpire_tail(place, goals(steps))


def write_enpire_tail(place, ends):
    with open(place + "/enpire.json", "a") as file:
        file.write('},\n"default": ' + json.dumps([name(end) for end in ends]) + "}\n")


def write_enpire_bipartite(place, steps):
    """Here the fan-in is one reference to a matrix, as a person would write it."""
    half, copy, all_of_a = len(steps) // 2, ["cp", "${in.a}", "${out.o}"], "${step.a[*].o}"
    with open(place + "/enpire.json", "w") as file:
        json.dump({"manifest": 1, "default": ["b", "leaf"], "steps": {
            "a": {"run": copy, "in": {"a": "src/0"}, "matrix": {"i": list(range(half))}, "out": {"o": "o/a/${matrix.i}"}},
            "b": {"run": ["touch", "${out.o}"], "in": {"b": all_of_a}, "matrix": {"i": list(range(half - 1))}, "out": {"o": "o/b/${matrix.i}"}},
            "leaf": {"run": copy, "in": {"a": "leaf", "b": all_of_a}, "out": {"o": f"o/b/{half - 1}"}}}}, file)


NINJA_RULES = """rule cp
  command = cp $in $out
rule cut
  command = sort -u $in > $out.new; cmp -s $out.new $out && rm $out.new || mv $out.new $out
  restat = 1
rule touch
  command = touch $out
"""


def write_ninja(place, steps):
    with open(place + "/build.ninja", "w") as file:
        file.write(NINJA_RULES)
        groups = {}
        for output, inputs, kind in steps:
            first, rest = ([], inputs) if kind == "touch" else (inputs[:1], inputs[1:])
            if len(rest) > 100:  # a group of its own, so that many steps can need the same many files
                key = tuple(rest)
                if key not in groups:
                    groups[key] = f"group{len(groups)}"
                    file.write(f"build {groups[key]}: phony {' '.join(rest)}\n")
                rest = [groups[key]]
            file.write(f"build {output}: {kind} {' '.join(first)}" + (f" | {' '.join(rest)}" if rest else "") + "\n")
        file.write("default " + " ".join(goals(steps)) + "\n")


COMMANDS = {"cp": "cp $< $@", "cut": "sort -u -o $@ $<", "touch": "touch $@"}


def write_make(place, steps):
    with open(place + "/Makefile", "w") as file:
        lists = {}
        file.write(f"all: {' '.join(goals(steps))}\n")
        for output, inputs, kind in steps:
            first, rest = ("", inputs) if kind == "touch" else (inputs[0], inputs[1:])
            rest = " ".join(rest)
            if len(inputs) > 100:
                if rest not in lists:
                    lists[rest] = f"LIST{len(lists)}"
                    file.write(f"{lists[rest]} := {rest}\n")
                rest = f"$({lists[rest]})"
            file.write(f"{output}: {first} {rest}\n\t{COMMANDS[kind]}\n")


def write_snakemake(place, steps):
    with open(place + "/Snakefile", "w") as file:
        file.write(f"rule all:\n    input: {', '.join(map(repr, goals(steps)))}\n")
        for output, inputs, kind in steps:
            command = "cp {input[0]} {output}" if kind == "cp" else "sort -u -o {output} {input}"
            file.write(f"rule {name(output)}:\n    input: {', '.join(map(repr, inputs))}\n    output: {output!r}\n    shell: {command!r}\n")


def append(engine, place, steps, number):
    """One more step and goal at the end of what the engine reads; `number` counts from 0."""
    output, source = f"o/more{number}", steps[-1][0]
    if engine == "enpire":
        with open(place + "/enpire.json", "rb+") as file:
            text = file.read()
            file.truncate(text.rindex(b'},\n"default"'))
        with open(place + "/enpire.json", "a") as file:
            file.write(",\n" + enpire_step(output, [source], "cp", {source}))
        write_enpire_tail(place, goals(steps) + [f"o/more{i}" for i in range(number + 1)])
    elif engine == "ninja":
        with open(place + "/build.ninja", "a") as file:
            file.write(f"build {output}: cp {source}\ndefault {output}\n")
    else:
        with open(place + "/Makefile", "a") as file:
            file.write(f"{output}: {source}\n\tcp $< $@\nall: {output}\n")


WRITERS = {"enpire": write_enpire, "ninja": write_ninja, "make": write_make, "Snakemake": write_snakemake}
