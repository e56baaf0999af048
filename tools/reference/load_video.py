"""Makes test/fixtures/video/load-video.json: what VHS_LoadVideo takes of test/fixtures/video/clip.mp4, by its own code and OpenCV.

Usage: NODE_PACKS=.../ComfyUI-VideoHelperSuite PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/load_video.py test/fixtures/video
(REF holds comfy_env.py; the clip is made with ffmpeg where it isn't there.)
"""
import json
import os
import shutil
import subprocess
import sys

from comfy_nodes import run  # makes ComfyUI importable
import folder_paths

folder = sys.argv[1]
clip = os.path.join(folder, "clip.mp4")
if not os.path.exists(clip):
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=48x32:r=24:d=1", "-f", "lavfi", "-i", "sine=d=1:r=8000",
                    "-pix_fmt", "yuv420p", "-crf", "12", "-c:a", "aac", clip], check=True)
os.makedirs(folder_paths.get_input_directory(), exist_ok=True)
shutil.copy(clip, os.path.join(folder_paths.get_input_directory(), "clip.mp4"))
plain = {"force_rate": 0, "custom_width": 0, "custom_height": 0, "frame_load_cap": 0, "skip_first_frames": 0, "select_every_nth": 1}
cases = [
    {},
    {"force_rate": 10}, {"force_rate": 30}, {"force_rate": 60, "frame_load_cap": 31}, {"force_rate": 7.5, "skip_first_frames": 1},
    {"frame_load_cap": 5, "skip_first_frames": 3}, {"select_every_nth": 5}, {"select_every_nth": 4, "skip_first_frames": 2, "frame_load_cap": 4},
    {"force_rate": 30, "select_every_nth": 3, "skip_first_frames": 4},
    {"custom_width": 24}, {"custom_height": 64, "frame_load_cap": 2}, {"custom_width": 32, "custom_height": 32},
    {"format": "AnimateDiff", "custom_width": 30}, {"format": "Wan"}, {"format": "LTXV"},
]
made = []
for case in cases:
    images, count, audio, info = run("VHS_LoadVideo", video="clip.mp4", **{**plain, **case})
    waveform = audio["waveform"]
    made.append({
        "inputs": case, "count": count, "shape": list(images.shape), "info": info,
        "means": [[round(value, 6) for value in image.mean(dim=(0, 1)).tolist()] for image in images],
        "corners": [[round(value, 6) for value in image[1, 1].tolist()] for image in images],
        "audio": [list(waveform.shape), audio["sample_rate"]],
    })
with open(os.path.join(folder, "load-video.json"), "w") as file:
    json.dump(made, file, separators=(",", ":"))
