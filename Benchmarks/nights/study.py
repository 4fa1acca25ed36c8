"""Nights played by a real cron daemon, a minute each: what is done to each is written here, and what its summary says is compared with that.
Runs as root, for it starts cron with a crontab, a mail program, a /run and a process table of its own; nothing outside is touched, and all of it
is gone at the end. Usage: study.py ENPIRE PYTHON [REPORT], where PYTHON has gym-pusht (.deps/python/bin/python3)."""
import glob, http.server, json, os, re, shutil, signal, subprocess, sys, tempfile, threading, time

enpire, python = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
report = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else None
inside = os.environ.get("ENPIRE_NIGHTS")
if not inside:
    if os.geteuid() != 0:
        sys.exit("study-nights starts a cron daemon in name spaces of its own: run it as root")
    with tempfile.TemporaryDirectory(prefix="enpire-nights-") as root:
        os.environ["ENPIRE_NIGHTS"] = root
        sys.exit(subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, *sys.argv]).returncode)

root = inside
place, mail, hooks = root + "/night", root + "/mail", []


def sh(script, **more):
    return subprocess.run(["sh", "-ec", script], check=True, **more)


# --- a machine of its own: crontabs, /run, and a sendmail that keeps what it gets; no other jobs ---
os.makedirs(mail)
os.makedirs(place)
sh(f"""
mount --make-rprivate /
mount -t tmpfs -o mode=1730 none /var/spool/cron/crontabs && chgrp crontab /var/spool/cron/crontabs
mount -t tmpfs none /run
mount -t tmpfs none /etc/cron.d
: >{root}/crontab && mount --bind {root}/crontab /etc/crontab
cp -a /usr/sbin {root}/sbin && mount --bind {root}/sbin /usr/sbin
mount -t tmpfs -o size=24m none {place}
""")
with open("/usr/sbin/sendmail", "w") as file:
    file.write(f'#!/bin/sh\ncat >{mail}/$(date +%s.%N).tmp && for f in {mail}/*.tmp; do mv "$f" "${{f%.tmp}}.eml"; done\n')
os.chmod("/usr/sbin/sendmail", 0o755)


# --- somebody who is told: a webhook that does as it is told ---
answers = []


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        how = answers.pop(0) if answers else 200
        hooks.append({"call": body.get("call"), "how": how, "event": self.headers["X-Enpire-Event"], "token": self.headers["Authorization"], "body": body})
        if how == "silent":
            time.sleep(3)
        else:
            self.send_response(how)
            self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()


# --- the workflow ---
def write(name, text):
    with open(f"{place}/{name}", "w") as file:
        file.write(text)


def manifest(trials):
    write("night.json", json.dumps({
        "manifest": 1, "workflow": "night", "fleet": "fleet.json",
        "notify": {"url": f"http://127.0.0.1:{server.server_port}/told?key=in-the-address", "token": {"file": "token"}, "timeout": 1, "tries": 3,
                   "on": ["failure", "recovery", "success", "unfinished", "skipped"]},
        "default": ["page"],
        "steps": {
            "data": {"run": ["sh", "-c", "sleep $(cut -d' ' -f2 day); dd if=/dev/urandom bs=1M count=1 2>/dev/null | cat day - > data"],
                     "in": {"day": "day"}, "out": {"data": "data"}},
            "mine": {"uses": "compile-program", "in": {"source": "still"}},
            "score": {"uses": "evaluate", "in": {"policy": "${step.mine.program}"}, "station": {"task": "push-t"}, "after": ["data"],
                      "with": {"trials": trials, "films": 0}},
            "page": {"run": ["sh", "-c", "wc -c data > page"], "in": {"data": "${step.data.data}", "score": "${step.score.result}"},
                     "out": {"page": "page"}},
        }}, indent=1))


def data_command():
    with open(f"{place}/night.json") as file:
        text = file.read()
    # The page counts its input where it stands.
    write("night.json", text.replace("wc -c data > page", "wc -c < ${in.data} > page"))


def day(number, seconds=0):
    write("day", f"{number} {seconds}\n")


write("fleet.json", json.dumps({"fleet": 1, "stations": [{"name": "gym-1", "driver": "gym", "tasks": ["push-t"]}]}))
write("still", '#!/bin/sh\nwhile read -r word x y rest; do\n  case $word in observe) echo "act $x $y" ;; *) echo ready ;; esac\ndone\n')
os.chmod(place + "/still", 0o755)
write("token", "a-token-of-the-hook\n")
manifest(3)
data_command()
day(1)

environment = {**os.environ, "ENPIRE_PYTHON": python}
environment.pop("ENPIRE_NIGHTS")
before = "# a line of somebody else\n17 3 1 1 * true\n"
subprocess.run(["crontab", "-"], input=before, text=True, check=True)
subprocess.run([enpire, "schedule", "install", "-f", "night.json", "--every", "1m", "--for", "50m", "--tell", "always", "-k", "--gc", "30d"], cwd=place,
               env=environment, check=True)
listed = json.loads(subprocess.run([enpire, "schedule", "list", "--json"], env=environment, capture_output=True, check=True).stdout)
assert [one["name"] for one in listed["schedules"]] == ["night"] and listed["schedules"][0]["when"] == ["* * * * *"], listed


# --- cron ---
def wait_for_second(second):
    while int(time.time()) % 60 != second:
        time.sleep(0.2)


def children(of, words):
    """Processes below `of` whose command line holds the words."""
    found = []
    for entry in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            line = open(entry).read().split("\0")
            pid = int(entry.split("/")[2])
        except OSError:
            continue
        if all(word in line for word in words):
            found.append(pid)
    return found


def supervisors():
    return [pid for pid in children(1, ["schedule", "run"]) if os.readlink(f"/proc/{pid}/exe").endswith("/enpire")]


def runners():
    return [pid for pid in children(1, ["run", "--events"]) if os.readlink(f"/proc/{pid}/exe").endswith("/enpire")]


def summary(call):
    answer = subprocess.run([enpire, "summary", "-f", place + "/night.json", "--call", str(call), "--json"], capture_output=True, text=True, env=environment)
    return json.loads(answer.stdout) if answer.returncode == 0 else {"missing": answer.stderr}


def letters():
    return {name: open(name).read() for name in sorted(glob.glob(mail + "/*.eml"))}


wait_for_second(50)
cron = subprocess.Popen(["/usr/sbin/cron", "-f", "-L", "0"], env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL)
nights, faults, known = [], [], {}
started = time.time()


def night(number, done, prepare, during=None):
    """Most of a minute. `prepare` before its first second, `during` within it, and what came of it is looked at fifteen seconds before its end."""
    prepare()
    wait_for_second(0)
    print(f"{time.strftime('%H:%M:%S')} night {number}: {done}", flush=True)
    time.sleep(1.5)
    if during:
        during()
    wait_for_second(45)  # Cron begins a second or two after the minute, and sends mail after that.
    new = {name: text for name, text in letters().items() if name not in known}
    known.update(new)
    nights.append({"night": number, "done": done, "letters": list(new.values()), "summary": None})


def expect(number, what, holds):
    if not holds:
        faults.append(f"night {number}: {what}")
        print(f"  NOT SO: {what}", flush=True)


def fill():
    day(6)
    free = os.statvfs(place)
    with open(place + "/ballast", "wb") as file:
        try:
            while True:
                file.write(b"\1" * 65536)
        except OSError:
            pass
        try:
            file.flush()
        except OSError:
            pass
    try:
        with open(place + "/ballast2", "wb", buffering=0) as file:
            while file.write(b"\1" * 4096):
                pass
    except OSError:
        pass


def end_of(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def wait_for_runner():
    """A run that is in its first step."""
    while not (runners() and children(1, ["sleep"])) and not children(1, ["sleep", "40"]):
        time.sleep(0.1)
    time.sleep(1)


def kill_runner():
    wait_for_runner()
    end_of(runners())


def kill_all():
    wait_for_runner()
    end_of(supervisors() + runners())


def break_station():
    for name in ("ballast", "ballast2"):
        if os.path.exists(f"{place}/{name}"):
            os.remove(f"{place}/{name}")
    sh(f"mount --bind /bin/false $(readlink -f {python})")
    manifest(5)
    data_command()
    day(7)
    answers[:] = [500, 503]


def repair():
    sh(f"umount $(readlink -f {python})")


night(1, "a usual one", lambda: day(1))
night(2, "takes longer than until the next", lambda: day(2, 75))
night(3, "falls into the one before, which still goes on", lambda: None)
wait_for_second(45)
night(4, "the runner is killed (kill -9) while a step runs; the webhook does not answer",
      lambda: (day(4, 40), answers.__setitem__(slice(None), ["silent"] * 3)), kill_runner)
night(5, "the runner and who watches it are killed at once, as by a power cut", lambda: day(5, 40), kill_all)
night(6, "the disk is full", fill)
night(7, "the station fails; the webhook answers 500, 503, then 200", break_station)
night(8, "the station works again", repair)
night(9, "nothing has changed", lambda: None)
cron.terminate()
cron.wait()

for one in nights:
    one["summary"] = summary(one["night"])


# --- does each tell the truth? ---
def letter(number):
    """All mail about this call."""
    return "\n".join(text for one in nights for text in one["letters"] if re.search(rf"^call {number},", text, re.M))


by_call = {one["night"]: one["summary"] for one in nights}
for number, transition, name in [(1, "success", "success"), (2, "success", "success"), (3, "skipped", "locked"), (4, "failure", "killed"),
                                 (5, "failure", "cut-off"), (6, "still-failing", "input-output"), (7, "still-failing", "step-failed"),
                                 (8, "recovery", "success"), (9, "success", "success")]:
    told = by_call[number]
    expect(number, f"is {transition} by {name}, and not {told.get('transition')} by {told.get('name')} {told.get('missing', '')}",
           (told.get("transition"), told.get("name")) == (transition, name))
    expect(number, f"{'no mail' if number == 5 else 'a mail'} tells of it", bool(letter(number)) == (number != 5))
first = by_call[1]
expect(1, "all four steps ran", (first.get("counts") or {}).get("ran") == 4)
expect(1, "the rate of three trials is told", [rate["trials"] for rate in first.get("rates", [])] == [3])
expect(2, "it took 75 s or more", by_call[2].get("seconds", 0) >= 75)
expect(3, "it names the call that goes on", "call 2 still goes on" in by_call[3].get("problem", ""))
expect(3, "its mail came before that of call 2, which then ended well", "night: success" in letter(2) and "skipped" in letter(3))
expect(4, "it says which signal", "signal 9" in by_call[4].get("problem", "") and "signal 9" in letter(4))
expect(4, "the overlap before is told", any(one["what"] == "skipped" and one["call"] == 3 for one in by_call[4].get("earlier", [])))
expect(4, "the webhook was tried three times, which is told", [one["tries"] for one in by_call[4].get("deliveries", []) if one.get("problem")] == [3]
       and "was not told after 3 tries" in letter(4))
cut = [one for one in by_call[6].get("earlier", []) if one["what"] == "cut-off"]
expect(5, "the next summary says that it was cut off", [one["call"] for one in cut] == [5] and "call 5 of" in letter(6) and "cut off" in letter(6))
expect(6, "it says that the disk is full", re.search("no space|disk is full", by_call[6].get("problem") or "", re.I) and re.search("No space|disk\\s+is\\s+full", letter(6)))
expect(6, "it was written down although the disk was full", by_call[6].get("call") == 6)
expect(6, "the row of failures counts three", (by_call[6].get("failing") or {}).get("count") == 3)
failed = by_call[7].get("failures", [])
expect(7, "it names step and station", [(one["step"], one.get("station")) for one in failed] == [("score", "gym-1")] and "FAILED score on gym-1" in letter(7))
expect(7, "it says how to repeat it", f"enpire run -f {place}/night.json score" in letter(7))
expect(7, "the webhook was reached at the third try", [(one["tries"], one.get("problem")) for one in by_call[7].get("deliveries", [])] == [(3, None)])
expect(8, "it ends four failures", (by_call[8].get("failing") or {}).get("count") == 4 and "RECOVERY after 4 failures" in letter(8))
expect(8, "the trials were topped up to five, and the rate before is told",
       [(rate["trials"], rate.get("before", {}).get("trials")) for rate in by_call[8].get("rates", [])] == [(5, 3)])
expect(9, "it found nothing to do", by_call[9].get("counts", {}).get("upToDate") == 4 and by_call[9].get("run") is None)
for number in (1, 2, 3, 6, 7, 8, 9):
    got = [one["event"] for one in hooks if one["call"] == number and one["how"] == 200]
    expect(number, f"the webhook was told once, of what became of it, and not {got}", got == [by_call[number].get("transition")])
expect(0, "every post had the token", {one["token"] for one in hooks} == {"Bearer a-token-of-the-hook"})
everything = "".join(letters().values()) + sh(f"cat {place}/.enpire/schedule/night/*", capture_output=True, text=True).stdout
expect(0, "no mail, summary or log holds the token or the address", "a-token-of-the-hook" not in everything and "in-the-address" not in everything)
for number in range(1, 10):
    for line in letter(number).split("\n\n", 1)[-1].split("\n"):
        expect(number, f"a line of {len(line)} columns: {line}", len(line) <= 72 or " " not in line.strip() or line.startswith("    enpire ") or "What the run said" in line
               or "enpire log" in line)
history = subprocess.run([enpire, "history", "-f", place + "/night.json", "--json"], capture_output=True, text=True, env=environment).stdout
subprocess.run([enpire, "schedule", "remove", "-f", place + "/night.json"], env=environment, check=True)
after = subprocess.run(["crontab", "-l"], capture_output=True, text=True).stdout
expect(0, "the crontab is as it was", after == before)

print(f"{len(nights)} nights in {time.time() - started:.0f} s: {len(faults)} faults")


# --- what is kept ---
def tidy(text):
    text = re.sub(r"^Date:.*\n", "", text, flags=re.M)
    return text.replace(root, "…").replace(enpire, "enpire").replace(os.uname().nodename, "lab-1")


def body(text):
    return tidy(text.split("\n\n", 1)[1].rstrip())


lines = ["# Nights", "",
         "Nine calls of a schedule by Debian's cron, a minute each, in which something was done to seven of them; `make study-nights` plays them again and",
         "compares each summary with what was done. The workflow has two commands, a policy as a program, and an evaluation on gym-pusht.", "",
         "| night | what was done | what its summary says | mail | webhook |", "|---|---|---|---|---|"]
for one in nights:
    number, told = one["night"], one["summary"]
    posts = [f"{post['how']}" for post in hooks if post["call"] == number]
    said = {5: "none: nothing was left to say it"}.get(number, f"{told.get('transition')} (`{told.get('name')}`, {told.get('exit')})")
    if number == 5:
        said += "; call 6 says that it was cut off"
    mailed = "yes" if letter(number) else "no" + "".join(f"; cron's own says `{body(text).strip()}`" for text in one["letters"] if "call " not in text)
    lines.append(f"| {number} | {one['done']} | {said} | {mailed} | {', '.join(posts) or '—'} |")
lines += ["", f"Faults found by the comparison: {len(faults)}."]
for fault in faults:
    lines.append(f"- {fault}")
for number in range(1, 10):
    texts = [text for one in nights for text in one["letters"] if re.search(rf"^call {number},", text, re.M)]
    for text in texts:
        lines += ["", f"## The mail of call {number}", "", "```text", body(text), "```"]
lines += ["", "## The payload that the webhook got of call 7", "", "```json",
          tidy(json.dumps(next((post["body"] for post in hooks if post["call"] == 7), {}), indent=1)), "```", ""]
text = "\n".join(lines)
if report:
    with open(report, "w") as file:
        file.write(text)
else:
    print(text)
sys.exit(1 if faults else 0)
