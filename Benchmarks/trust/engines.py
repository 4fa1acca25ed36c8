"""Workflow engines as the studies use them: each writes two or three steps in its own idiom, and runs them.
A step is (name, inputs, output, command); `{in}` and `{out}` in the command stand for the files, any other character is meant for the shell."""
import json, os, re, subprocess


class Engine:
    name = program = ""
    environment = {}

    def __init__(self, program, place):
        self.program, self.place = program, place

    def version(self):
        return re.search(r"\d+\.\d+(\.\d+)?", subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout)[0]

    def prepare(self):
        """What a new directory needs, once."""

    def file(self, name, text):
        with open(os.path.join(self.place, name), "w") as file:
            file.write(text)

    def start(self):
        return subprocess.Popen([self.program, *self.arguments], cwd=self.place, start_new_session=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **self.environment})


def quoted(command):
    return "'" + command.replace("'", "'\\''") + "'"


class Enpire(Engine):
    name, arguments, environment = "enpire", ["run", "-j", "2"], {"ENPIRE_SANDBOX": "none"}

    def write(self, steps):
        makers, written = {output: name for name, _, output, _ in steps}, {}
        for name, inputs, output, command in steps:
            command = command.replace("$", "$$").replace("{in}", "${in.i}").replace("{out}", "${out.o}")
            written[name] = {"run": ["sh", "-c", command], "in": {"i": ["${step.%s}" % makers[i] if i in makers else i for i in inputs]},
                             "out": {"o": output}}
        self.file("enpire.json", json.dumps({"manifest": 1, "steps": written}))


class Make(Engine):
    name, arguments = "make", ["-s", "-j2"]

    def write(self, steps):
        self.file("Makefile", f"all: {steps[-1][2]}\n" + "".join(
            f"{output}: {' '.join(inputs)}\n\t" + command.replace("$", "$$").replace("{in}", "$^").replace("{out}", "$@") + "\n"
            for _, inputs, output, command in steps))


class Ninja(Engine):
    name, arguments, restat = "ninja", ["--quiet", "-j2"], ""

    def write(self, steps):
        self.file("build.ninja", "".join(
            f"rule {name}\n  command = " + command.replace("$", "$$").replace("{in}", "$in").replace("{out}", "$out") + self.restat
            + f"\nbuild {output}: {name} {' '.join(inputs)}\n" for name, inputs, output, command in steps))


class NinjaRestat(Ninja):
    name, restat = "ninja, restat", "\n  restat = 1"


class Snakemake(Engine):
    name, arguments = "Snakemake", ["--quiet", "all", "--cores", "2"]

    def write(self, steps):
        def shell(command):
            return repr(re.sub(r"\{\{(in|out)\}\}", r"{\1put}", command.replace("{", "{{").replace("}", "}}")))

        self.file("Snakefile", f"rule all:\n    input: {steps[-1][2]!r}\n" + "".join(
            f"rule {name}:\n    input: {', '.join(map(repr, inputs))}\n    output: {output!r}\n    shell: {shell(command)}\n"
            for name, inputs, output, command in steps))


class DVC(Engine):
    name, arguments, environment = "DVC", ["repro", "--quiet"], {"DVC_NO_ANALYTICS": "1"}

    def prepare(self):
        subprocess.run([self.program, "init", "--no-scm", "--quiet"], cwd=self.place, check=True, env={**os.environ, **self.environment})

    def write(self, steps):
        self.file("dvc.yaml", json.dumps({"stages": {name: {
            "cmd": command.replace("{in}", " ".join(inputs)).replace("{out}", output), "deps": inputs, "outs": [output],
        } for name, inputs, output, command in steps}}))


def found(enpire, peers, names=("enpire", "ninja", "ninja, restat", "make", "Snakemake", "DVC")):
    """(class, program) of the engines named; `peers` is a directory of programs that goes before the PATH."""
    path = peers + os.pathsep + os.environ["PATH"]
    programs = {"enpire": enpire, "ninja": "ninja", "ninja, restat": "ninja", "make": "make", "Snakemake": "snakemake", "DVC": "dvc"}

    def which(program):
        candidates = [program] if "/" in program else [os.path.join(folder, program) for folder in path.split(os.pathsep)]
        return next((os.path.abspath(file) for file in candidates if os.access(file, os.X_OK)), None)

    classes = {c.name: c for c in (Enpire, Ninja, NinjaRestat, Make, Snakemake, DVC)}
    return [(classes[name], which(programs[name])) for name in names if which(programs[name])]
