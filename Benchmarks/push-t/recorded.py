# Makes a dataset of recorded states, actions and ends, in the directory that the last argument names: recorded.py STATES ACTIONS ENDS TAIL TIMES OUT.
# The last TAIL frames of each episode are there TIMES more, as episodes of their own: the end of the task is its finest part and its shortest.
import os
import sys

import numpy

states, actions, ends = (numpy.load(path) for path in sys.argv[1:4])
tail, times, directory = int(sys.argv[4]), int(sys.argv[5]), sys.argv[6]
whole = list(zip([0, *ends[:-1]], ends))
spans = whole + [(max(start, end - tail), end) for start, end in whole] * times
os.makedirs(directory, exist_ok=True)
for name, rows in (("observation", states), ("action", actions)):
    numpy.save(f"{directory}/{name}.npy", numpy.concatenate([rows[start:end] for start, end in spans]).astype("<f8"))
numpy.save(f"{directory}/episode_ends.npy", numpy.cumsum([end - start for start, end in spans]).astype("<i8"))
