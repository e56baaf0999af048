"""Makes the README's sheet by the README's command: prompts and the pictures that `latentd run` makes of them.

    python tools/starter/readme_sheet.py --sheet docs/images/starter-sprites.png
"""

import argparse
import json
import os
import subprocess
import tempfile

import numpy as np
from PIL import Image

from judge import shrink
from sheet import sheet

PROMPTS = (
    "a red knight with a gold shield", "small blue slime on grass", "a purple wizard with a gold staff", "a white skeleton in a cave",
    "a green dragon", "a big pink ghost at night", "an orange cat on a white background", "a yellow fish",
    "a blue castle on grass", "a brown chest with a gold lock", "a red mushroom on grass", "a teal potion",
    "a gray robot", "a green tree on snow", "a brown ship with white sails", "a red heart on a black background",
)
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheet", required=True)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures = [drawn(text, options.seed, folder) for text in PROMPTS]
    os.makedirs(os.path.dirname(os.path.abspath(options.sheet)), exist_ok=True)
    sheet(np.stack(pictures), 8, options.sheet, enlarge=4, labels=PROMPTS)


def drawn(prompt, seed, folder):
    """The picture at one pixel a pixel, [32, 32, 3]."""
    command = ["node", "dist/cli/main.js", "run", "graphs/sprite_optimized.json", "--prompt", prompt, "--seed", seed, "--output", folder, "--json"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    (path,) = [path for output in json.loads(told)["outputs"].values() for path in output["images"]]
    return shrink(np.asarray(Image.open(path).convert("RGB")))


if __name__ == "__main__":
    main()
