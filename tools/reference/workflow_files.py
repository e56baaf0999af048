"""Has a ComfyUI server write one workflow into a picture and a film of each kind that carries it.

    python tools/reference/workflow_files.py http://127.0.0.1:8188

What it saves (still, apng, webp, webm, mp4) goes to test/fixtures/workflow-files.
"""

import json
import sys
import urllib.request

PROMPT = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 2, "color": 255}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "still"}},
    "3": {"class_type": "SaveAnimatedWEBP", "inputs": {"images": ["1", 0], "filename_prefix": "webp", "fps": 6, "lossless": True, "quality": 80, "method": "fastest"}},
    "4": {"class_type": "SaveAnimatedPNG", "inputs": {"images": ["1", 0], "filename_prefix": "apng", "fps": 6, "compress_level": 9}},
    "5": {"class_type": "SaveWEBM", "inputs": {"images": ["1", 0], "filename_prefix": "webm", "codec": "vp9", "fps": 24, "crf": 50}},
    "6": {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 24}},
    "7": {"class_type": "SaveVideo", "inputs": {"video": ["6", 0], "filename_prefix": "mp4", "format": "mp4", "codec": "h264"}},
}
EDITOR = {
    "version": 0.4,
    "nodes": [
        {"id": 1, "type": "EmptyImage", "mode": 0, "inputs": [], "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [1]}], "widgets_values": [16, 16, 2, 255]},
        {"id": 2, "type": "SaveImage", "mode": 0, "inputs": [{"name": "images", "type": "IMAGE", "link": 1}], "outputs": [], "widgets_values": ["still — é"]},
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"]],
}

body = {"prompt": PROMPT, "extra_data": {"extra_pnginfo": {"workflow": EDITOR}}}
request = urllib.request.Request(f"{sys.argv[1]}/prompt", json.dumps(body).encode(), {"Content-Type": "application/json"})
print(urllib.request.urlopen(request).read().decode())
