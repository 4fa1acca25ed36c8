# Makes a dataset of recorded states, actions and ends (the arguments, in this order) in the directory that the last argument names.
import os
import sys

import numpy

states, actions, ends, directory = sys.argv[1:]
os.makedirs(directory, exist_ok=True)
for name, source in (("observation", states), ("action", actions)):
    numpy.save(f"{directory}/{name}.npy", numpy.load(source).astype("<f8"))
numpy.save(f"{directory}/episode_ends.npy", numpy.load(ends).astype("<i8"))
