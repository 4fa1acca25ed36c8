"""Twelve cases in which a workflow engine can give a wrong result or do needless work, on enpire and its peers, each in its own idiom.
Usage: study.py ENPIRE [PEERS [TABLE]]; PEERS is a directory of programs, TABLE the Markdown file to write. Exits with 1 if enpire fails one."""
import os, signal, subprocess, sys, tempfile, time
import engines

RIGHT, WASTED, WRONG = "✓", "–", "✗"
ENOUGH = 60


class Case:
    """One engine in one fresh directory. Steps note that they ran in `ran`, which lies outside of it and is declared to nobody."""

    def __init__(self, engine, root):
        self.root, self.place = root, root + "/place"
        os.mkdir(self.place)
        self.engine = engine[0](engine[1], self.place)
        self.engine.prepare()

    def mark(self, name):
        return self.root + "/" + name

    def text(self, name):
        try:
            return open(f"{self.place}/{name}").read()
        except FileNotFoundError:
            return None

    def ran(self):
        try:
            return open(self.mark("ran")).read().split()
        except FileNotFoundError:
            return []

    def run(self):
        """The exit code (None if it hung) and what ran."""
        before = len(self.ran())
        process = self.engine.start()
        return finish(process), self.ran()[before:]

    def chain(self, word="", wait=""):
        note = f"echo %s >> {self.mark('ran')}; "
        self.engine.write([("a", ["in.txt"], "a.txt", note % "a" + wait + "head -n 1 {in} > {out}"),
                           ("b", ["a.txt"], "b.txt", note % "b" + f"echo '{word}' | cat {{in}} - > {{out}}")])
        if self.text("in.txt") is None:
            self.engine.file("in.txt", "one\nnoise\n")

    def settled(self):
        """A chain that has run, a moment ago."""
        self.chain()
        code, ran = self.run()
        assert code == 0 and ran == ["a", "b"], (self.engine.name, code, ran)
        time.sleep(0.05)

    def waiting(self, command):
        """Starts one step that runs `command` with BEGUN and GO in it, and returns once it has begun."""
        wait = f"touch {self.mark('begun')}; while ! test -e {self.mark('go')}; do sleep 0.02; done"
        self.engine.write([("a", ["in.txt"], "a.txt", f"echo a >> {self.mark('ran')}; " + command.replace("WAIT", wait))])
        self.engine.file("in.txt", "one\nnoise\n")
        process = self.engine.start()
        while not os.path.exists(self.mark("begun")):
            time.sleep(0.005)
        return process

    def go(self):
        open(self.mark("go"), "w").close()


def finish(process):
    try:
        return process.wait(timeout=ENOUGH)
    except subprocess.TimeoutExpired:
        kill_all(process)
        return None


def kill_all(process):
    """SIGKILL to the process and to all that came of it."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents[int(pid)] = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    doomed = [process.pid]
    for pid in doomed:
        doomed += [child for child, parent in parents.items() if parent == pid]
    for pid in doomed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def judge(case, content, most=2, name="b.txt", result=None):
    """Runs, and judges the file's content and how many steps ran."""
    code, ran = result or case.run()
    if code is None:
        return WRONG, "hangs"
    if case.text(name) != content:
        return WRONG, "wrong result" if code == 0 else "refuses to run"
    if code != 0:
        return WRONG, f"exit code {code}"
    if len(ran) > most:
        return WASTED, f"{len(ran)} ran"
    return RIGHT, f"{len(ran)} ran" if ran else "none ran"


def same_times(case, text):
    times = os.stat(case.place + "/in.txt")
    case.engine.file("in.txt", text)
    os.utime(case.place + "/in.txt", ns=(times.st_atime_ns, times.st_mtime_ns))


def touched(case):
    case.settled()
    os.utime(case.place + "/in.txt")
    return judge(case, "one\n\n", most=0)


def time_set_back(case):
    case.settled()
    same_times(case, "two\nnoise and more\n")
    return judge(case, "two\n\n")


def same_size_and_time(case):
    case.settled()
    same_times(case, "two\nnoise\n")
    return judge(case, "two\n\n")


def command_edited(case):
    case.settled()
    case.chain(word="edited")
    return judge(case, "one\nedited\n", most=1)


def older_input(case):
    for name in ("new", "old"):
        case.engine.file(name + ".part", name)
    os.utime(case.place + "/old.part", (1e9, 1e9))
    os.rename(case.place + "/old.part", case.place + "/old")
    command = f"echo a >> {case.mark('ran')}; cat *.part > {{out}}"
    case.engine.write([("a", ["new.part"], "a.txt", command)])
    assert case.run()[0] == 0
    os.rename(case.place + "/old", case.place + "/old.part")
    case.engine.write([("a", ["new.part", "old.part"], "a.txt", command)])
    return judge(case, "newold", name="a.txt")


def tampered(case):
    case.settled()
    case.engine.file("b.txt", "tampered")
    sign, note = judge(case, "one\n\n")
    return sign, "restored" if (sign, note) == (RIGHT, "none ran") else note


def cut_off(case):
    case.settled()
    case.engine.file("in.txt", "one\nother noise\n")
    return judge(case, "one\n\n", most=1)


def there_and_back(case):
    case.settled()
    case.engine.file("in.txt", "two\nnoise\n")
    assert case.run()[0] == 0
    time.sleep(0.05)
    case.engine.file("in.txt", "one\nnoise\n")
    return judge(case, "one\n\n", most=0)


def partial_output(case):
    case.engine.file("in.txt", "")
    command = f"echo a >> {case.mark('ran')}; printf half > {{out}}; test -e {case.mark('go')} && printf whole > {{out}}"
    case.engine.write([("a", ["in.txt"], "a.txt", command)])
    assert case.run()[0] != 0
    case.go()
    return judge(case, "whole", name="a.txt")


def killed(case):
    kill_all(case.waiting("printf half > {out}; WAIT; printf whole > {out}"))
    case.go()
    return judge(case, "whole", name="a.txt")


def input_modified(case):
    process = case.waiting("read line < {in}; WAIT; echo $line > {out}")
    case.engine.file("in.txt", "two\n")
    time.sleep(0.05)
    case.go()
    finish(process)
    return judge(case, "two\n", name="a.txt")


def two_at_once(case):
    first = case.waiting("WAIT; head -n 1 {in} > {out}")
    second = case.engine.start()
    try:
        second.wait(timeout=5)
    except subprocess.TimeoutExpired:
        pass
    case.go()
    codes, ran = (finish(first), finish(second)), case.ran()
    sign, note = judge(case, "one\n", most=1, name="a.txt", result=(codes[0], ran))
    return (sign, "the second waits" if codes[1] == 0 else "the second refuses") if sign == RIGHT else (sign, "both run it" if len(ran) > 1 else note)


CASES = [
    ("touched, same content", touched), ("content changed, modification time set back", time_set_back),
    ("same size and modification time, other bytes", same_size_and_time), ("command edited", command_edited),
    ("an older file added to the inputs, same command", older_input), ("final output tampered with", tampered),
    ("a step writes the same bytes again: what follows", cut_off), ("an input changed and changed back", there_and_back),
    ("a failed step left half an output", partial_output), ("killed in the middle of a step", killed),
    ("an input changes while its step runs", input_modified), ("two runs at once", two_at_once),
]


def main():
    peers = sys.argv[2] if len(sys.argv) > 2 else ""
    found = engines.found(sys.argv[1], peers)
    heads = [f"{engine.name} {engine(program, '.').version()}" for engine, program in found]
    rows, score = [], [0] * len(found)
    for number, (title, scenario) in enumerate(CASES, 1):
        cells = []
        for column, engine in enumerate(found):
            with tempfile.TemporaryDirectory() as root:
                sign, note = scenario(Case(engine, root))
            score[column] += sign == RIGHT
            cells.append(f"{sign} {note}")
            print(f"{number:2} {title}: {engine[0].name}: {cells[-1]}", flush=True)
        rows.append([str(number), title, *cells])
    rows.append(["", "right of twelve", *map(str, score)])
    table = "\n".join("| " + " | ".join(row) + " |" for row in [["", "case", *heads], ["---"] * (len(found) + 2), *rows])
    print("\n" + table)
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w") as file:
            file.write(f"""# Trust

Twelve cases in which a workflow engine can give a wrong result or do needless work, on two steps in a chain or on one. ✓ right, – right with needless
work, ✗ a wrong result or none. Made by `make bench-trust` ([Benchmarks/trust](../../Benchmarks/trust)), which runs each engine in its own idiom: make
without `.DELETE_ON_ERROR`, Snakemake and DVC with their defaults. The same twelve are tests, in Tests/EndToEndTests/TrustTests.swift.

{table}
""")
    sys.exit(0 if score[0] == len(CASES) else 1)


main()
