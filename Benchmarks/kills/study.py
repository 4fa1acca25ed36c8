"""Kills the runner of the main job at random instants, runs it again each time, and compares what stands in Git at the end with an
undisturbed run of the same workspace secret. Usage: study.py ENPIRE WORKFLOWS [KILLS] [SEED]; the job is the shipped one with fewer trials."""
import json, os, random, re, shutil, signal, subprocess, sys, tempfile, time

enpire, workflows = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
kills = int(sys.argv[3]) if len(sys.argv) > 3 else 10
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
small = ["trials=24", "baseline_trials=16", "search_trials=8", "pilot_trials=4", "rounds=2"]


def start(place):
    return subprocess.Popen([enpire, "run", "-f", "push-t.json", *small], cwd=place, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=open(place + "/run.log", "a"))


def fresh(root, name):
    place = root + "/" + name
    shutil.copytree(workflows, place, ignore=shutil.ignore_patterns(".enpire", "*.steps", "results"))
    os.makedirs(place + "/.enpire")
    with open(place + "/.enpire/secret", "wb") as file:
        file.write(bytes(range(32)))
    return place


def records(place):
    """Every record of every branch, without what holds a time: the ids of commits."""
    hub = place + "/.enpire/hubs/push-t/hub.git"

    def git(*arguments):
        return subprocess.run(["git", "--git-dir", hub, *arguments], check=True, capture_output=True, text=True).stdout

    found = {}
    for branch in git("for-each-ref", "--format=%(refname:short)", "refs/heads").split():
        for path in git("ls-tree", "--name-only", branch, "experiments/").split():
            text = git("show", f"{branch}:{path}")
            found[f"{branch}:{path}"] = re.sub(r'"commit": "[0-9a-f]{40}"', '"commit": "-"', text)
    return found


with tempfile.TemporaryDirectory() as root:
    calm = fresh(root, "calm")
    begin = time.monotonic()
    assert start(calm).wait() == 0, open(calm + "/run.log").read()
    length = time.monotonic() - begin
    expected = records(calm)
    print(f"undisturbed: {length:.0f} s, {len(expected)} records", flush=True)

    chance = random.Random(seed)
    storm = fresh(root, "storm")
    for number in range(kills):
        run = start(storm)
        delay = chance.uniform(0.05, 1.2 * length / kills)
        try:
            run.wait(timeout=delay)
            print(f"kill {number + 1}: it was done before {delay:.1f} s", flush=True)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
            print(f"kill {number + 1}: after {delay:.1f} s", flush=True)
    assert start(storm).wait() == 0, open(storm + "/run.log").read()[-2000:]
    again = subprocess.run([enpire, "run", "-f", "push-t.json", *small], cwd=storm, capture_output=True, text=True).stderr.strip()
    actual = records(storm)
    different = sorted(name for name in expected.keys() | actual.keys() if expected.get(name) != actual.get(name))
    for name in different:
        print("differs:", name, "\n", expected.get(name), "\n", actual.get(name))
    print(f"{kills} kills: {len(expected) - len(different)} of {len(expected)} records the same; then: {again}")
    sys.exit(1 if different else 0)
