"""Times short processes side by side, in turn, and prints medians and ratios: what it costs to start enpire, and a run with nothing to do.
Usage: study.py ENPIRE [MANIFEST [VARIABLE=value …]]; needs ninja on the PATH (Debian: ninja-build). The manifest must be up to date."""
import os, statistics, subprocess, sys, tempfile, time

enpire = os.path.abspath(sys.argv[1])
rounds = 200


def timed(command, directory):
    begin = time.perf_counter()
    subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begin) * 1000


with tempfile.TemporaryDirectory() as place:
    with open(place + "/build.ninja", "w") as file:
        file.write("rule r\n  command = cp $in $out\nbuild b: r a\nbuild c: r b\n")
    with open(place + "/a", "w") as file:
        file.write("a")
    with open(place + "/enpire.json", "w") as file:
        file.write('{"manifest": 1, "steps": {"b": {"run": ["cp", "a", "b"], "in": {"a": "a"}, "out": {"b": "b"}},'
                   ' "c": {"run": ["cp", "${in.b}", "${out.c}"], "in": {"b": "${step.b}"}, "out": {"c": "c"}}}}')
    rows = [("--version", [enpire, "--version"], ["ninja", "--version"], place), ("2 steps, nothing to do", [enpire, "run"], ["ninja"], place)]
    if len(sys.argv) > 2:
        manifest = os.path.abspath(sys.argv[2])
        rows.append((os.path.basename(manifest) + ", nothing to do", [enpire, "run", "-f", manifest, *sys.argv[3:]], None, os.path.dirname(manifest)))
    for name, ours, theirs, directory in rows:
        pairs = [(timed(ours, directory), timed(theirs, directory) if theirs else 0) for _ in range(rounds)]
        mine, other = statistics.median(p[0] for p in pairs[5:]), statistics.median(p[1] for p in pairs[5:])
        print(f"{name}: enpire {mine:.1f} ms" + (f", ninja {other:.1f} ms, ratio {mine / other:.1f}" if theirs else ""), flush=True)
