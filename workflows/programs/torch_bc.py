#!/usr/bin/env python3
"""Behaviour cloning of Push-T in PyTorch: an example of a program that a `train` step runs (docs/training-programs.md).

Reads demonstrations as NumPy arrays, trains a perceptron, and writes a policy that enpire's own actor carries out.
"""
import json
import os
import struct
import sys

import numpy
import torch

request = json.load(open(sys.argv[1]))
assert request["train"] == 1 and request["task"] == "push-t"
options = {"hidden": [128, 128], "updates": 2000, "batch": 256, "rate": 1e-3, "chunk": 4, **request["options"]}
torch.manual_seed(request["seed"])
torch.set_num_threads(1)

# Demonstrations: agent x, y, block x, y, angle; the agent's target x, y; where episodes end.
demos = request["inputs"]["demos"]
observation, action = (numpy.load(f"{demos}/{name}.npy").astype(numpy.float64) for name in ("observation", "action"))
ends = numpy.load(f"{demos}/episode_ends.npy")
last = numpy.repeat(ends - 1, numpy.diff(ends, prepend=0))
frames = numpy.arange(len(observation))

# What the network sees is what policy.json will say under "features": the angle as cosine and sine, and the agent as the block sees it.
x, y, block_x, block_y, angle = observation.T
cos, sin = numpy.cos(angle), numpy.sin(angle)
local_x, local_y = cos * (x - block_x) + sin * (y - block_y), cos * (y - block_y) - sin * (x - block_x)
seen = numpy.stack([x, y, block_x, block_y, cos, sin, local_x, local_y], axis=1)
# The next actions, relative to where the agent is.
chunk = options["chunk"]
said = numpy.concatenate([action[numpy.minimum(frames + step, last)] - observation[:, :2] for step in range(chunk)], axis=1)


def scaling(rows):
    spread = rows.std(axis=0)
    return rows.mean(axis=0), numpy.where(spread < 1e-6, 1, spread)


(input_mean, input_spread), (output_mean, output_spread) = scaling(seen), scaling(said)
inputs = torch.tensor((seen - input_mean) / input_spread, dtype=torch.float32)
labels = torch.tensor((said - output_mean) / output_spread, dtype=torch.float32)

sizes = [inputs.shape[1], *options["hidden"], labels.shape[1]]
layers = [torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
network = torch.nn.Sequential(*[part for layer in layers for part in (layer, torch.nn.ReLU())][:-1])
optimiser = torch.optim.AdamW(network.parameters(), lr=options["rate"], weight_decay=1e-4)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options["updates"])
done, points = 0, []

# A run that was interrupted finds its checkpoint in the progress directory, if the inputs are the same.
checkpoint = request["progress"] and request["progress"] + "/checkpoint.pt"
parts = {"network": network, "optimiser": optimiser, "schedule": schedule}
if checkpoint and os.path.exists(checkpoint):
    saved = torch.load(checkpoint)
    done, points = saved["done"], saved["points"]
    torch.set_rng_state(saved["random"])
    for name, part in parts.items():
        part.load_state_dict(saved[name])

outcome = "finished"
while done < options["updates"]:
    batch = torch.randint(len(inputs), (options["batch"],))
    loss = torch.nn.functional.mse_loss(network(inputs[batch]), labels[batch])
    if not torch.isfinite(loss):
        outcome = "diverged"
        break
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()
    done += 1
    if done % max(1, options["updates"] // 20) == 0:
        points.append([done, loss.item()])
        print(json.dumps({"done": done, "total": options["updates"], "word": f"loss {loss.item():.4f}"}), flush=True)
        if checkpoint:
            state = {name: part.state_dict() for name, part in parts.items()}
            torch.save({"done": done, "points": points, "random": torch.get_rng_state(), **state}, checkpoint + ".new")
            os.replace(checkpoint + ".new", checkpoint)

# The policy: policy.json and weights.safetensors.
policy = request["outputs"]["policy"]
json.dump(
    {
        "policy": 1, "task": "push-t", "regime": "bc", "seed": request["seed"],
        "features": {
            "angles": [4], "frames": [{"origin": [2, 3], "angle": 4, "point": [0, 1]}], "anchor": [0, 1], "history": 1,
            "shows_action": False, "action_bounds": [[0, 512], [0, 512]],
        },
        "input": {"mean": input_mean.tolist(), "spread": input_spread.tolist()},
        "output": {"mean": output_mean.tolist(), "spread": output_spread.tolist()},
        "network": {"hidden": options["hidden"], "activation": "relu", "layer_norm": False},
        "chunk": chunk, "ensembling": 0.7, "squashed": False, "weights": "weights.safetensors",
    },
    open(f"{policy}/policy.json", "w"),
    indent=2,
)
header, data = {}, b""
for index, layer in enumerate(layers):
    for name, tensor in (("weight", layer.weight.T), ("bias", layer.bias)):
        raw = tensor.detach().contiguous().numpy().astype("<f4").tobytes()
        header[f"layers.{index}.{name}"] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
text = json.dumps(header).encode()
with open(f"{policy}/weights.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)

series = [{"name": "loss", "x": "update", "points": points}]
json.dump({"curves": 1, "outcome": outcome, "update": done, "series": series}, open(request["outputs"]["curves"], "w"))
