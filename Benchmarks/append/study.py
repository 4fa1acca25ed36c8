"""Many processes append steps to one workflow while its runs are killed and started again. At the end: every step that was accepted has run
and is recorded once, no batch was taken in part, and nothing is left of what was refused. Usage: study.py ENPIRE WRITERS STEPS BATCH [SEED]"""
import collections, json, os, random, signal, sqlite3, subprocess, sys, tempfile, threading, time

enpire = os.path.abspath(sys.argv[1])
writers, count, batch = (int(word) for word in sys.argv[2:5])
seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
environment = {**os.environ, "ENPIRE_SANDBOX": "none", "MAKEFLAGS": ""}
accepted, refused, unknown = set(), set(), []  # names; `unknown`: batches whose writer was killed
lock, failures = threading.Lock(), []


def step(name, ran):
    return {"run": ["sh", "-c", f"echo {name} >> {ran}; echo {name} > {name}"], "in": {"a": "${step.a}"}, "out": {"o": name}}


def write(place, writer):
    chance = random.Random(f"{seed}-{writer}")
    for number in range(0, count, batch):
        names = [f"w{writer}-{i}" for i in range(number, min(number + batch, count))]
        steps = {name: step(name, place + "/ran") for name in names}
        kind = chance.choices(["good", "bad", "killed"], [8, 1, 1])[0]
        if kind == "bad":
            steps[names[-1]]["in"]["none"] = "${step.nobody}"
        process = subprocess.Popen([enpire, "append", "--goal", "--author", f"w{writer}", "-"], cwd=place, env=environment, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if kind == "killed":
            process.stdin.write(json.dumps({"steps": steps}))
            process.stdin.close()
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
            code, errors = process.wait(), process.stderr.read()
        else:
            _, errors = process.communicate(json.dumps({"steps": steps}))
            code = process.returncode
        with lock:
            if code == 0:
                accepted.update(names)
            elif code == -signal.SIGKILL:
                unknown.append(names)
            elif code == 65 and kind == "bad":
                refused.update(names)
            else:
                failures.append(f"append ended with {code}: {errors}")


def run(place):
    return subprocess.Popen([enpire, "run", "-k", "-j2", "--json"], cwd=place, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=open(place + "/errors", "a"))


with tempfile.TemporaryDirectory() as place:
    with open(place + "/enpire.json", "w") as file:
        json.dump({"manifest": 1, "steps": {"a": {"run": ["sh", "-c", "echo a > a"], "out": {"o": "a"}}}}, file)
    chance, kills, begin = random.Random(seed), 0, time.monotonic()
    threads = [threading.Thread(target=write, args=(place, writer)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        runner = run(place)
        try:
            # Short enough that most are killed: a run ends by itself where the writers are slow.
            runner.wait(chance.uniform(0.2, 2) * max(1, writers * count / 8000))
        except subprocess.TimeoutExpired:
            runner.kill()
            runner.wait()
            kills += 1
    for thread in threads:
        thread.join()
    code = run(place).wait()
    if code != 0:
        failures.append(f"the last run ended with {code}: {open(place + '/errors').read()[-2000:]}")
    appended = {json.load(open(f"{place}/enpire.steps/{name}"))["name"] for name in os.listdir(place + "/enpire.steps")}
    for names in unknown:
        if not appended.issuperset(names) and appended.intersection(names):
            failures.append(f"a batch is there in part: {sorted(appended.intersection(names))}")
        (accepted if appended.issuperset(names) else refused).update(names)
    ran = collections.Counter(open(place + "/ran").read().split())
    database = sqlite3.connect(place + "/.enpire/state.db")
    recorded = dict(database.execute("SELECT step, count(*) FROM execution WHERE outcome = 'done' GROUP BY step"))
    if appended != accepted:
        failures.append(f"there and not accepted: {sorted(appended - accepted)}; accepted and not there: {sorted(accepted - appended)}")
    for name in sorted(accepted):
        if recorded.get(name) != 1 or open(f"{place}/{name}").read() != name + "\n":
            failures.append(f"{name} was recorded {recorded.get(name, 0)} times")
    traces = refused.intersection(ran) | refused.intersection(recorded) | {name for name in refused if os.path.exists(f"{place}/{name}")}
    if traces:
        failures.append(f"refused, and there are traces: {sorted(traces)}")
    again = sum(times - 1 for times in ran.values())
    print(f"{writers} processes, {count} steps each in batches of {batch}: {len(accepted)} steps accepted, {len(refused)} refused, "
          f"{len(unknown)} writers killed; {kills} runs killed; {sum(recorded.values()) - recorded.get('a', 0)} recorded once each, "
          f"{again} begun again after a kill before their record; {time.monotonic() - begin:.0f} s")
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(1 if failures else 0)
