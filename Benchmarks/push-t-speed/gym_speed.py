# One round of gym-pusht for the benchmark push-t-speed: reads a request (JSON) from stdin, writes seconds and last states to stdout.
import json
import os
import sys
import time
import warnings

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
warnings.simplefilter("ignore")
import gym_pusht  # noqa: E402, F401
import gymnasium  # noqa: E402
import numpy  # noqa: E402

request = json.load(sys.stdin)
steps = request["steps"]
actions = numpy.array(request["actions"], dtype=numpy.float64)
env = gymnasium.make("gym_pusht/PushT-v0", obs_type="state")
ends = []
start = time.process_time()
for episode in range(request["episodes"]):
    observation, _ = env.reset(seed=request["first_seed"] + episode)
    for step in range(steps):
        observation, *_ = env.step(actions[episode * steps + step])
    ends.append(observation.tolist())
print(json.dumps({"seconds": time.process_time() - start, "ends": ends}))
