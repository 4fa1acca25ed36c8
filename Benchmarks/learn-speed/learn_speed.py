# The learners of this project in PyTorch, for the benchmark learn-speed: behaviour cloning and soft actor-critic, as a careful person would write
# them: everything that can be is computed once or in one operation. Reads a request (JSON) from stdin, writes updates a second to stdout.
import json
import math
import sys
import time

import numpy
import torch
from torch import nn

torch.set_num_threads(1)
request = json.load(sys.stdin)
torch.manual_seed(request["seed"])
observations = torch.tensor(request["observations"])
actions = torch.tensor(request["actions"])
ends = numpy.array(request["ends"])
starts = torch.tensor(numpy.repeat(numpy.concatenate([[0], ends[:-1]]), numpy.diff(ends, prepend=0)))
last = torch.tensor(numpy.repeat(ends - 1, numpy.diff(ends, prepend=0)))
count = len(observations)


def shown(rows):
    x, y, bx, by, angle = rows.unbind(-1)
    c, s = torch.cos(angle), torch.sin(angle)
    return torch.stack([x, y, bx, by, c, s, c * (x - bx) + s * (y - by), c * (y - by) - s * (x - bx)], -1)


class Normed(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer(x)
            x = torch.relu(nn.functional.layer_norm(x, x.shape[-1:]))
        return self.layers[-1](x)


def optimiser(parameters, rate, decay):
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, foreach=True)


def blend(targets, sources, amount):
    with torch.no_grad():
        torch._foreach_mul_(targets, 1 - amount)
        torch._foreach_add_(targets, sources, alpha=amount)


def cloning():
    chunk, noise = 4, torch.tensor([2.0, 2.0, 2.0, 2.0, 2 / 60])
    frames = torch.arange(count)

    def sample(index, shifts):
        now, before = observations[index] + shifts, observations[torch.maximum(starts[index], index - 1)] + shifts
        said = [actions[torch.minimum(last[index], index + step)] - now[:, :2] for step in range(chunk)]
        return torch.cat([shown(now), shown(before)], 1), torch.cat(said, 1)

    inputs, labels = sample(frames, torch.zeros(count, 5))
    input_mean, input_spread = inputs.mean(0), inputs.std(0).clamp_min(1e-6)
    output_mean, output_spread = labels.mean(0), labels.std(0).clamp_min(1e-6)
    network, average = Normed([16, 256, 256, 256, 8]), Normed([16, 256, 256, 256, 8])
    average.load_state_dict(network.state_dict())
    parameters = list(network.parameters())
    averages = [p.data for p in average.parameters()]
    adam = optimiser(parameters, 1e-3, 1e-4)
    losses = []
    for update in range(1, request["updates"] + 1):
        index = torch.randint(count, (256,))
        seen, said = sample(index, noise * torch.randn(256, 5))
        loss = nn.functional.mse_loss(network((seen - input_mean) / input_spread), (said - output_mean) / output_spread)
        rise = min(1, update / 200)
        adam.param_groups[0]["lr"] = 1e-3 * rise * (1 + math.cos(math.pi * (update - 1) / request["updates"])) / 2
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
        blend(averages, [p.data for p in parameters], 1 - min(0.999, update / (update + 9)))
        value = loss.item()
        if update % (request["updates"] // 100) == 0:
            losses.append(value)
    return request["updates"], sum(losses[-20:]) / 20


class Ensemble(nn.Module):
    def __init__(self, sizes, members):
        super().__init__()
        bound = [math.sqrt(3 / a) for a in sizes]
        self.weights = nn.ParameterList(nn.Parameter((torch.rand(members, a, b) * 2 - 1) * k) for a, b, k in zip(sizes, sizes[1:], bound))
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, b)) for b in sizes[1:])
        self.members = members

    def forward(self, x):
        x = x.expand(self.members, *x.shape)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = torch.baddbmm(bias, x, weight)
            if index + 1 < len(self.weights):
                x = torch.relu(nn.functional.layer_norm(x, x.shape[-1:]))
        return x


def reinforcement():
    width, reach, discount, batch, warm_up = 16, 100.0, 0.98, 256, 300
    actor, critics, targets = Normed([width, 256, 256, 4]), Ensemble([width + 2, 256, 256, 1], 2), Ensemble([width + 2, 256, 256, 1], 2)
    targets.load_state_dict(critics.state_dict())
    critic_parameters, target_parameters = list(critics.parameters()), [p.data for p in targets.parameters()]
    temperature = torch.tensor(math.log(0.02), requires_grad=True)
    adams = [optimiser(list(actor.parameters()), 3e-4, 0), optimiser(critic_parameters, 3e-4, 0), optimiser([temperature], 3e-4, 0)]

    def draw(seen):
        mean, spread = actor(seen).chunk(2, -1)
        spread = spread.clamp(-5, 1)
        noise = torch.randn_like(mean)
        raw = mean + spread.exp() * noise
        normal = -0.5 * noise.square() - spread - 0.5 * math.log(2 * math.pi)
        bend = 2 * (math.log(2) - raw - nn.functional.softplus(-2 * raw))
        return raw.tanh(), (normal - bend).sum(-1, keepdim=True), mean.tanh()

    frames = torch.arange(count)
    seen = torch.cat([shown(observations), shown(observations[torch.maximum(starts, frames - 1)])], 1)
    mean, spread = seen.mean(0), seen.std(0).clamp_min(1e-6)
    keep = frames[frames < last]
    units = ((actions - observations[:, :2]) / reach).clamp(-0.999, 0.999)
    going = (keep + 1 < last[keep]).float()[:, None]
    demos = [((seen - mean) / spread)[keep], units[keep], torch.full((len(keep), 1), -1.0), going, ((seen - mean) / spread)[keep + 1]]
    own = [torch.zeros(200_000, size) for size in (width, 2, 1, 1, width)]
    filled = 0
    row, age = torch.tensor([100.0, 100, 256, 256, 1]), 0
    previous = row
    start = None
    for step in range(request["steps"] + warm_up):
        if step == warm_up:
            start = (time.process_time(), time.monotonic())
        look = (torch.cat([shown(row), shown(previous)]) - mean) / spread
        with torch.no_grad():
            act = draw(look[None])[0][0]
        target = (row[:2] + reach * act).clamp(0, 512)
        previous, row = row, torch.cat([row[:2] + 0.3 * (target - row[:2]), row[2:]])
        age += 1
        following = (torch.cat([shown(row), shown(previous)]) - mean) / spread
        for store, value in zip(own, (look, act, -abs(float(row[0]) - 256) / 256 - 1, 1.0, following)):
            store[filled] = value
        filled += 1
        if age == 100:
            row, age = torch.tensor([100.0, 100, 256, 256, 1]), 0
            previous = row
        if step < warm_up:
            continue

        def sample():
            shown_rows, own_rows = torch.randint(len(keep), (batch // 2,)), torch.randint(filled, (batch // 2,))
            return [torch.cat([a[shown_rows], b[own_rows]]) for a, b in zip(demos, own)]

        state, action, reward, goes_on, after = sample()
        with torch.no_grad():
            next_action, density, _ = draw(after)
            value = targets(torch.cat([after, next_action], 1)).amin(0) - temperature.exp() * density
            wanted = reward + goes_on * discount * value
        loss = nn.functional.mse_loss(critics(torch.cat([state, action], 1)), wanted.expand(2, -1, -1))
        adams[1].zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(critic_parameters, 10)
        adams[1].step()
        blend(target_parameters, [p.data for p in critic_parameters], 0.005)
        critic_loss = loss.item()

        state, action, *_ = sample()
        drawn, density, middle = draw(state)
        for parameter in critic_parameters:
            parameter.requires_grad_(False)
        values = critics(torch.cat([state, drawn], 1)).mean(0)
        for parameter in critic_parameters:
            parameter.requires_grad_(True)
        scale = 1 / max(1e-3, values.detach().abs().mean().item())
        loss = (temperature.exp().detach() * density - values).mean() * scale + nn.functional.mse_loss(middle[: batch // 2], action[: batch // 2])
        adams[0].zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(actor.parameters(), 10)
        adams[0].step()
        surplus = density.detach().mean() - 2
        adams[2].zero_grad(set_to_none=True)
        (-temperature.exp() * surplus).backward()
        adams[2].step()
        loss.item()
    return start, 2 * request["steps"], critic_loss


if request["what"] == "cloning":
    start = (time.process_time(), time.monotonic())
    updates, loss = cloning()
else:
    start, updates, loss = reinforcement()
seconds, wall = time.process_time() - start[0], time.monotonic() - start[1]
print(json.dumps({"rate": updates / seconds, "wall_rate": updates / wall, "loss": loss}))
