"""Makes the films of this folder; see README.md. Usage: make.py, with PyAV and NumPy."""
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

here = Path(__file__).parent
with av.open(str(here / "../../workflows/demos/push-t/videos/episode_000.mp4")) as source:
    frames = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)][:20]


def film(name, frames, times):
    with av.open(str(here / name), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"bf": "0", "crf": "12", "threads": "1"})
        stream.width = stream.height = 96
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, 1000)
        for frame, time in zip(frames, times):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture.pts, picture.time_base = time, Fraction(1, 1000)
            for packet in stream.encode(picture):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


film("uneven.mp4", frames, [100 * i + 200 * (i >= 6) + 130 * (i >= 12) for i in range(20)])
film("lying.mp4", [np.rot90(frame) for frame in frames], [100 * i for i in range(20)])
data = bytearray((here / "lying.mp4").read_bytes())
header = data.find(b"tkhd") - 4
matrix = [0, 0x10000, 0, 0xFFFF0000, 0, 0, 96 << 16, 0, 0x40000000]
data[header + 48 : header + 84] = b"".join(value.to_bytes(4, "big") for value in matrix)
(here / "lying.mp4").write_bytes(data)
