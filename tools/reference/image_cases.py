"""Makes test/fixtures/nodes/cases/images.safetensors: ComfyUI's nodes of images, masks and batches of them.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=REF:KORNIA python tools/reference/image_cases.py [OUT]   (REF holds comfy_env.py, KORNIA a checkout of kornia)
"""
import sys

from node_case_file import CaseFile, Typed
import torch

file = CaseFile()
case = file.case
torch.manual_seed(12)
wide, tall, pair, alpha = torch.rand(1, 7, 9, 3), torch.rand(1, 8, 5, 3), torch.rand(2, 4, 6, 3), torch.rand(1, 4, 6, 4)
mask, masks = torch.rand(1, 6, 8), torch.rand(2, 5, 7)
smooth = torch.nn.functional.interpolate(torch.rand(2, 3, 4, 5), size=(20, 24), mode="bicubic").clamp(0, 1).movedim(1, -1).contiguous()
blocks = (torch.rand(1, 4, 4, 3) > 0.5).float().repeat_interleave(5, 1).repeat_interleave(5, 2)

for source in (smooth, blocks, blocks * 0.5 + smooth[:1, :20, :20] * 0.3):
    for low, high in ((0.4, 0.8), (0.1, 0.2), (0.05, 0.9)): case("Canny", image=source, low_threshold=low, high_threshold=high)
case("Canny", image=smooth, low_threshold=0.9, high_threshold=0.2)
for operation in ("erode", "dilate", "open", "close", "gradient", "bottom_hat", "top_hat"):
    for size in (3, 4, 7): case("Morphology", image=pair if size == 3 else wide, operation=operation, kernel_size=size)
for source in (wide, pair, blocks):
    case("ImageRGBToYUV", image=source)
    case("ImageYUVToRGB", Y=source, U=source * 0.5 + 0.2, V=1 - source)
case("BatchImagesNode", **{"images.image0": wide, "images.image1": tall, "images.image2": pair})
case("BatchImagesNode", **{"images.image0": pair, "images.image1": alpha})
case("BatchImagesNode", **{"images.image0": alpha, "images.image1": wide})
case("BatchMasksNode", **{"masks.mask0": mask, "masks.mask1": masks})
case("BatchMasksNode", **{"masks.mask0": masks})
case("BatchMasksNode", **{"masks.mask0": masks, "masks.mask1": mask, "masks.mask2": masks})
one, two = {"samples": torch.randn(1, 4, 4, 5)}, {"samples": torch.randn(2, 4, 3, 3), "batch_index": [4, 7]}
case("BatchLatentsNode", **{"latents.latent0": one, "latents.latent1": two})
case("BatchLatentsNode", **{"latents.latent0": two, "latents.latent1": one, "latents.latent2": two})
case("BatchLatentsNode", **{"latents.latent0": {**one, "noise_mask": torch.rand(1, 1, 8, 8)}})
ways = (("scale dimensions", dict(width=5, height=9, crop="center")), ("scale dimensions", dict(width=0, height=5, crop="disabled")), ("scale dimensions", dict(width=0, height=0, crop="center")), ("scale by multiplier", dict(multiplier=1.5)),
        ("scale longer dimension", dict(longer_size=12)), ("scale shorter dimension", dict(shorter_size=4)), ("scale width", dict(width=6)), ("scale height", dict(height=6)), ("scale total pixels", dict(megapixels=0.01)),
        ("scale to multiple", dict(multiple=4)), ("scale to multiple", dict(multiple=100)))
for turn, (way, values) in enumerate(ways):
    for at, source in enumerate((wide, tall, Typed("MASK", masks))):
        if way == "scale total pixels": source = Typed("MASK", masks) if at else wide
        method = ("nearest-exact", "bilinear", "area", "bicubic")[(turn + at) % 4] if isinstance(source, Typed) else ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")[(turn + at) % 5]
        case("ResizeImageMaskNode", input=source if isinstance(source, Typed) else Typed("IMAGE", source), scale_method=method, resize_type=way, **{f"resize_type.{key}": value for key, value in values.items()})
case("ResizeImageMaskNode", input=Typed("IMAGE", wide), scale_method="area", resize_type="match size", **{"resize_type.match": Typed("IMAGE", tall), "resize_type.crop": "center"})
case("ResizeImageMaskNode", input=Typed("MASK", mask), scale_method="bilinear", resize_type="match size", **{"resize_type.match": Typed("IMAGE", tall), "resize_type.crop": "disabled"})
for x, y, width, height in ((0, 0, 512, 512), (2, 3, 4, 2), (100, 1, 3, 3)): case("PrimitiveBoundingBox", x=x, y=y, width=width, height=height)
file.save(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/cases/images.safetensors")
