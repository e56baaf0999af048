"""Makes test/fixtures/video/core/: small films and sounds, and in films.json what ComfyUI's VIDEO and audio nodes read of them.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/video_nodes.py [OUT]
"""
import json
import os
import subprocess
import sys

import comfy_nodes
import folder_paths
import torch

CLIPS = {
    "left.mp4": "testsrc2=s=48x34:r=30:d=0.4 sine=d=0.4 -pix_fmt yuv420p",
    "tagged.mp4": "testsrc2=s=64x34:r=25:d=0.2 - -vf scale=out_color_matrix=bt709 -pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709",
    "whole.mp4": "testsrc2=s=50x34:r=25:d=0.2 - -pix_fmt yuvj420p",
    "alpha.webm": "testsrc2=s=50x34:r=25:d=0.2 - -pix_fmt yuva420p -c:v libvpx-vp9",
    "picture.gif": "testsrc2=s=64x34:r=25:d=0.12 -",
    "sound.flac": "- sine=d=0.05:f=500,aformat=channel_layouts=stereo",
    "sound.mp3": "- sine=d=0.05:f=500",
}


def make(folder):
    for name, words in CLIPS.items():
        picture, sound, *options = words.split()
        inputs = [part for source in (picture, sound) if source != "-" for part in ("-f", "lavfi", "-i", source)]
        subprocess.run(["ffmpeg", "-y", "-v", "error", *inputs, *options, os.path.join(folder, name)], check=True)


def summary(tensor):
    """Enough of a tensor to tell whether another one is it: its shape, and values at places spread over it."""
    flat = tensor.detach().double().flatten()
    at = [(index * 7919) % max(len(flat), 1) for index in range(48)]
    return {"shape": list(tensor.shape), "mean": float(flat.mean()) if len(flat) else 0, "values": [round(float(flat[index]), 7) for index in at] if len(flat) else []}


def film(video):
    images, audio, fps, bits = comfy_nodes.run("GetVideoComponents", video=video)
    return {"images": summary(images), "fps": fps, "bits": bits, "audio": None if audio is None else {**summary(audio["waveform"]), "rate": audio["sample_rate"]}}


folder = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/video/core"
os.makedirs(folder, exist_ok=True)
make(folder)
folder_paths.set_input_directory(folder)
films, sounds = [], []
for name in CLIPS:
    if name.startswith("sound"):
        audio, = comfy_nodes.run("LoadAudio", audio=name)
        sounds.append({"file": name, "audio": {**summary(audio["waveform"]), "rate": audio["sample_rate"]}})
        continue
    video, = comfy_nodes.run("LoadVideo", file=name)
    films.append({"file": name, "slice": None, **film(video)})
    # Each costs the test a run of ffmpeg.
    for start, duration in ((0.05, 0.08), (-0.1, 0.0), (0.12, 0.0)) if name == "left.mp4" else ():
        sliced, = comfy_nodes.run("Video Slice", video=video, start_time=start, duration=duration, strict_duration=False)
        films.append({"file": name, "slice": [start, duration], **film(sliced)})
made = []
images = torch.linspace(0, 1, 12 * 64 * 64 * 3).reshape(12, 64, 64, 3)
for fps, start, duration in ((24.0, 0.1, 0.2), (29.97, 0.0, 0.1), (10.0, -0.55, 0.0), (7.5, 1.0, 0.0), (30.0, 0.3, 0.2)):
    video, = comfy_nodes.run("CreateVideo", images=images, fps=fps)
    try:
        sliced, = comfy_nodes.run("Video Slice", video=video, start_time=start, duration=duration, strict_duration=False)
        found, _, rate, bits = comfy_nodes.run("GetVideoComponents", video=sliced)
        made.append({"fps": fps, "slice": [start, duration], "count": len(found), "mean": float(found[:, :, :, 1].mean()), "rate": rate})
    except ValueError: made.append({"fps": fps, "slice": [start, duration], "count": None})
with open(os.path.join(folder, "films.json"), "w") as file: json.dump({"films": films, "sounds": sounds, "made": made}, file)
