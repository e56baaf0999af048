"""Makes test/fixtures/safety-checker: a narrow safety checker with random weights, pictures, and what diffusers' StableDiffusionSafetyChecker says of
them. Its file is loaded by itself, with what it imports of diffusers put in its place.

Usage: python tools/reference/safety_checker.py DIFFUSERS FIXTURES   (DIFFUSERS: src/diffusers of a checkout, or a folder with safety_checker.py)
"""
import glob
import os
import sys
import types

import numpy as np
import safetensors.torch
import torch
import transformers
from PIL import Image

diffusers, folder = sys.argv[1:3]
source = open(glob.glob(os.path.join(diffusers, "**", "safety_checker.py"), recursive=True)[0]).read()
source = source.replace("from ...utils import is_transformers_version, logging", "is_transformers_version = lambda *_: True")
source = source.replace("logger = logging.get_logger(__name__)", "import logging; logger = logging.getLogger('safety')")
module = types.ModuleType("safety_checker")
exec(compile(source, "safety_checker.py", "exec"), module.__dict__)

SIZE, PATCH, WIDTH, EMBED = 24, 4, 16, 20
torch.manual_seed(9)
config = transformers.CLIPConfig(
    projection_dim=EMBED,
    vision_config=dict(hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=2, num_attention_heads=16, image_size=SIZE, patch_size=PATCH, projection_dim=EMBED),
)
checker = module.StableDiffusionSafetyChecker(config).eval()
for name, value in checker.named_parameters():
    value.data = torch.randn_like(value) * (0.3 if value.dim() > 1 else 0.1) + (1 if "norm" in name and name.endswith("weight") else 0)

rng = np.random.default_rng(3)
pictures = []
for index in range(6):
    coarse = rng.integers(0, 256, (3 + index, 4, 3), dtype=np.uint8)
    pictures.append(np.asarray(Image.fromarray(coarse).resize((32, 28), Image.BICUBIC)))
processor = transformers.CLIPImageProcessor(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE})
pixels = processor([Image.fromarray(each) for each in pictures], return_tensors="pt").pixel_values
with torch.no_grad():
    embeds = checker.visual_projection(checker.vision_model(pixels)[1])
    near = lambda concepts: module.cosine_distance(embeds, concepts)
    # The first picture alone is near to a concept; the second is only for whom special care is taken, as of the third, which is near to none.
    for weights in (checker.concept_embeds_weights, checker.special_care_embeds_weights): weights.data.fill_(1.0)

    def separate(concepts, weights, picture, by):
        """A threshold that this picture is over by so much, at the concept of which it is the nearest by most."""
        cosines = near(concepts)
        ranked = cosines.clone()
        ranked[picture] = -2
        margin, concept = (cosines[picture] - ranked.max(0).values).max(0)
        weights.data[concept] = cosines[picture, concept] - by
    separate(checker.concept_embeds, checker.concept_embeds_weights, 0, 0.02)
    separate(checker.concept_embeds, checker.concept_embeds_weights, 1, -0.006)
    for picture in (1, 2): separate(checker.special_care_embeds, checker.special_care_embeds_weights, picture, 0.02)
    images, flags = checker(clip_input=pixels, images=[each.astype(np.float32) / 255 for each in pictures])
print(flags)
os.makedirs(folder, exist_ok=True)
names = {key: key if key.startswith("vision_model.vision_model.") or not key.startswith("vision_model.") else "vision_model." + key for key in checker.state_dict()}
safetensors.torch.save_file({names[key]: value.contiguous().clone() for key, value in checker.state_dict().items()}, os.path.join(folder, "model.safetensors"))
safetensors.torch.save_file(
    {"pictures": torch.from_numpy(np.stack(pictures)), "flags": torch.tensor(flags, dtype=torch.uint8), "embeds": embeds, "blackened": torch.tensor([float(np.abs(each).max()) for each in images])},
    os.path.join(folder, "pictures.safetensors"),
)
