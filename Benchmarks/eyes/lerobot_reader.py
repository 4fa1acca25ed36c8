"""LeRobot's own reader over an exported data set: every seventh row and frame of each episode, and its last, against the source.
Usage: lerobot_reader.py LEROBOT DATASET; needs `pip install lerobot`."""
import sys
from pathlib import Path

import av
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

root, source = Path(sys.argv[1]), Path(sys.argv[2])
found = LeRobotDataset("local/push-t", root=root, video_backend="pyav", tolerance_s=1e-4)
state, action, ends = (np.load(source / f"{name}.npy") for name in ("observation", "action", "episode_ends"))
worst, rows = {"numbers": 0.0, "pixels": 0.0}, 0
for episode, (begin, end, video) in enumerate(zip([0, *ends[:-1]], ends, sorted((source / "videos").glob("*.mp4")))):
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for row in [*range(begin, end - 1, 7), end - 1]:
        item = found[int(row)]
        assert item["episode_index"] == episode and item["frame_index"] == row - begin
        seen = [item["observation.state"].numpy() - state[row], item["action"].numpy() - action[row]]
        picture = (item["observation.images.top"].numpy().transpose(1, 2, 0) * 255).round()
        worst["numbers"] = max(worst["numbers"], *(float(np.abs(d).max()) for d in seen))
        worst["pixels"] = max(worst["pixels"], float(np.abs(picture - frames[row - begin]).max()))
        rows += 1
print(f"{found.num_episodes} episodes, {found.num_frames} frames; {rows} rows compared; greatest differences {worst}")
