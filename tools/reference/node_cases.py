"""Makes test/fixtures/nodes/cases.safetensors: what ComfyUI's node classes return for small inputs.

Usage: NODE_PACKS=.../ComfyUI-VideoHelperSuite PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/node_cases.py OUT   (REF holds comfy_env.py)
Values are written as JSON in which {"tensor": KEY} is an image or mask, {"latent": {...}} and {"conditioning": [...]}
hold ComfyUI's own keys.
"""
import json
import sys

from comfy_nodes import run
import safetensors.torch
import torch

torch.manual_seed(3)
tensors = {}
cases = []


def stored(value):
    for key, known in tensors.items():
        if known is value or (known.shape == value.shape and torch.equal(known, value)):
            return key
    key = str(len(tensors))
    tensors[key] = value.contiguous().clone()
    return key


def described(value):
    if isinstance(value, torch.Tensor):
        return {"tensor": stored(value)}
    if isinstance(value, dict):
        # By this ComfyUI resizes an empty latent for a model whose latents are of another scale than the 8 of all of ours.
        parts = {key: part for key, part in value.items() if key != "downscale_ratio_spacial"}
        return {"latent": {key: stored(part) if isinstance(part, torch.Tensor) else part for key, part in parts.items()}}
    if isinstance(value, list):
        entry = lambda c: {"cond": stored(c[0]), **{key: stored(part) if isinstance(part, torch.Tensor) else part for key, part in c[1].items()}}
        return {"conditioning": [entry(c) for c in value]}
    return value


def case(name, **inputs):
    result = run(name, **inputs)
    cases.append({"node": name, "inputs": {key: described(value) for key, value in inputs.items()}, "outputs": [described(value) for value in result]})


def latent(*shape, **more):
    return {"samples": torch.randn(*shape), **more}


one, two, three = latent(1, 4, 9, 12), latent(2, 4, 9, 12), latent(3, 4, 5, 6)
masked = {**three, "noise_mask": torch.rand(2, 1, 10, 12), "batch_index": [2, 5, 6]}
single_mask = {**three, "noise_mask": torch.rand(1, 1, 10, 12)}
rgb, other, alpha = torch.rand(2, 6, 8, 3), torch.rand(1, 7, 5, 3), torch.rand(1, 4, 5, 4)
mask, wide_mask = torch.rand(2, 7, 6), torch.rand(1, 3, 9)

case("EmptyLatentImage", width=72, height=100, batch_size=2)
for start, length in ((1, 1), (0, 2), (7, 9)):
    for source in (three, masked, single_mask):
        case("LatentFromBatch", samples=source, batch_index=start, length=length)
for source in (two, masked, single_mask):
    case("RepeatLatentBatch", samples=source, amount=2)
case("LatentBatch", samples1=one, samples2=two)
case("LatentBatch", samples1=masked, samples2=one)
for method in ("nearest-exact", "bislerp"):
    for width, height, crop in ((0, 0, "disabled"), (0, 104, "disabled"), (72, 0, "center"), (64, 96, "center"), (10, 80, "disabled")):
        case("LatentUpscale", samples={**one, "noise_mask": wide_mask[:, None]}, upscale_method=method, width=width, height=height, crop=crop)
for factor in (0.5, 1.25, 1.375):
    case("LatentUpscaleBy", samples=one, upscale_method="bicubic", scale_by=factor)
for rotation in ("none", "90 degrees", "180 degrees", "270 degrees"):
    case("LatentRotate", samples=three, rotation=rotation)
    case("ImageRotate", image=other, rotation=rotation)
for method in ("x-axis: vertically", "y-axis: horizontally"):
    case("LatentFlip", samples=three, flip_method=method)
    case("ImageFlip", image=other, flip_method=method)
for width, height, x, y in ((64, 64, 8, 8), (64, 200, 0, 0), (80, 72, 96, 96)):
    case("LatentCrop", samples=one, width=width, height=height, x=x, y=y)
case("LatentCrop", samples=three, width=64, height=64, x=16, y=0)
for x, y, feather in ((0, 0, 0), (16, 24, 0), (16, 24, 16), (64, 0, 8), (8, 8, 40)):
    case("LatentComposite", samples_to=one, samples_from={"samples": three["samples"][:1]}, x=x, y=y, feather=feather)
case("LatentComposite", samples_to=two, samples_from={"samples": three["samples"][:1]}, x=24, y=8, feather=0)
case("LatentBlend", samples1=one, samples2=two, blend_factor=0.3)
case("LatentBlend", samples1=one, samples2={"samples": three["samples"][:1]}, blend_factor=0.7)
for name in ("LatentAdd", "LatentSubtract"):
    case(name, samples1=two, samples2=one)
    case(name, samples1=masked, samples2=two)
case("LatentMultiply", samples=two, multiplier=-1.37)
case("LatentInterpolate", samples1=one, samples2=two, ratio=0.3)
case("LatentInterpolate", samples1=latent(4, 4, 3, 2), samples2={"samples": torch.zeros(1, 4, 3, 2)}, ratio=0.9)
for behavior in ("random", "fixed"):
    case("LatentBatchSeedBehavior", samples=masked, seed_behavior=behavior)
    case("LatentBatchSeedBehavior", samples=two, seed_behavior=behavior)
for more in ({}, {"mask": torch.rand(1, 7, 4)}, {"mask": torch.rand(2, 9, 12)}):
    case("LatentCompositeMasked", destination=two, source=three, x=24, y=48, resize_source=False, **more)
    case("LatentCompositeMasked", destination=two, source=three, x=8, y=0, resize_source=True, **more)
case("SetLatentNoiseMask", samples=two, mask=mask)

case("EmptyImage", width=3, height=2, batch_size=2, color=0xFF8001)
for more in ({}, {"mask": torch.rand(1, 7, 4)}):
    case("ImageCompositeMasked", destination=rgb, source=other, x=2, y=3, resize_source=False, **more)
    case("ImageCompositeMasked", destination=rgb, source=alpha, x=5, y=0, resize_source=True, **more)
    case("ImageCompositeMasked", destination=rgb, source=other, x=8, y=100, resize_source=False, **more)
case("ImageInvert", image=rgb)
case("ImageBatch", image1=rgb, image2=other)
case("ImageBatch", image1=other, image2=other)
case("RepeatImageBatch", image=rgb, amount=2)
case("ImageFromBatch", image=rgb, batch_index=1, length=4)
case("ImageCrop", image=rgb, width=3, height=20, x=4, y=2)
case("ImageCrop", image=rgb, width=3, height=4, x=40, y=40)
case("GetImageSize", image=rgb)
case("ImagePadForOutpaint", image=rgb, left=8, top=0, right=0, bottom=16, feathering=2)
case("ImagePadForOutpaint", image=rgb, left=0, top=8, right=8, bottom=0, feathering=40)
for width, height, crop in ((0, 0, "disabled"), (0, 9, "disabled"), (5, 0, "disabled"), (5, 5, "center")):
    case("ImageScale", image=rgb, upscale_method="lanczos", width=width, height=height, crop=crop)
case("ImageScaleBy", image=rgb, upscale_method="area", scale_by=0.5)
case("ImageScaleBy", image=alpha, upscale_method="bilinear", scale_by=1.5)
case("ImageScaleToTotalPixels", image=torch.rand(1, 10, 200, 3)[:, :, ::40].contiguous(), upscale_method="nearest-exact", megapixels=0.0005, resolution_steps=1)

case("SolidMask", value=0.3, width=3, height=2)
case("InvertMask", mask=mask)
case("ThresholdMask", mask=mask, value=0.4)
case("CropMask", mask=mask, x=2, y=1, width=3, height=50)
case("MaskToImage", mask=mask)
for channel, source in (("red", rgb), ("green", rgb), ("blue", alpha), ("alpha", alpha)):
    case("ImageToMask", image=source, channel=channel)
spotted = torch.tensor([0.0, 0.5, 1.0, 0.2]).repeat(3)[:12].reshape(1, 2, 2, 3)
case("ImageColorToMask", image=spotted, color=0x0080FF)
for expand in (0, 2, -1, 40):
    for tapered in (True, False):
        case("GrowMask", mask=mask, expand=expand, tapered_corners=tapered)
case("FeatherMask", mask=mask, left=3, top=2, right=4, bottom=3)
case("FeatherMask", mask=mask, left=0, top=20, right=20, bottom=0)
for operation in ("multiply", "add", "subtract", "and", "or", "xor"):
    case("MaskComposite", destination=mask, source=wide_mask, x=2, y=5, operation=operation)


def prompt(tokens, features=6, pooled=5, rows=1, **more):
    return [[torch.randn(1, tokens, features), {**({"pooled_output": torch.randn(1, pooled)} if pooled else {}), **more}] for _ in range(rows)]


short, long, plain, several = prompt(3), prompt(7, width=640, height=512), prompt(4, pooled=0), prompt(5, rows=2, strength=0.5)
case("ConditioningCombine", conditioning_1=short, conditioning_2=several)
for to, source in ((short, long), (long, short), (plain, short), (short, plain), (several, several)):
    case("ConditioningAverage", conditioning_to=to, conditioning_from=source, conditioning_to_strength=0.35)
    case("ConditioningConcat", conditioning_to=to, conditioning_from=source)
for source in (short, plain, several):
    case("ConditioningZeroOut", conditioning=source)
case("ConditioningSetTimestepRange", conditioning=several, start=0.25, end=0.75)
case("ConditioningSetArea", conditioning=several, width=136, height=100, x=8, y=20, strength=0.7)
case("ConditioningSetAreaPercentage", conditioning=several, width=0.5, height=0.25, x=0.1, y=0.75, strength=1.5)
case("ConditioningSetAreaStrength", conditioning=several, strength=2.0)
for area in ("default", "mask bounds"):
    case("ConditioningSetMask", conditioning=several, mask=mask, strength=0.9, set_cond_area=area)
torch.manual_seed(11)
wide, narrow = torch.rand(1, 12, 18, 3), torch.rand(2, 9, 7, 3)
for mode in ("normal", "multiply", "screen", "overlay", "soft_light", "difference"):
    case("ImageBlend", image1=wide, image2=narrow[:1], blend_factor=0.35, blend_mode=mode)
case("ImageBlend", image1=narrow, image2=wide, blend_factor=0.8, blend_mode="overlay")
case("ImageBlend", image1=narrow, image2=torch.rand(1, 9, 7, 4), blend_factor=0.8, blend_mode="screen")
for radius, sigma in ((1, 1.0), (3, 0.4), (8, 2.0)):
    case("ImageBlur", image=wide, blur_radius=radius, sigma=sigma)
    case("ImageSharpen", image=wide, sharpen_radius=radius, sigma=sigma, alpha=0.3)
for source in (wide, narrow, torch.rand(1, 5, 5, 3)):
    case("ImageScaleToMaxDimension", image=source, upscale_method="bicubic", largest_size=13)
    case("ResizeAndPadImage", image=source, target_width=16, target_height=11, padding_color="white", interpolation="area")
case("ResizeAndPadImage", image=wide, target_width=8, target_height=11, padding_color="black", interpolation="bilinear")

torch.manual_seed(29)
near = (torch.nn.functional.interpolate(torch.rand(2, 3, 4, 5), size=(24, 21), mode="bilinear") + 0.03 * torch.randn(2, 3, 24, 21)).clamp(0, 1)
near = near.movedim(1, -1).contiguous()
flat = (torch.rand(1, 5, 6, 3) * 3).floor() / 3
for dither in ("none", "floyd-steinberg", "bayer-2", "bayer-4", "bayer-8", "bayer-16"):
    case("ImageQuantize", image=near, colors=12, dither=dither)
for colors in (1, 2, 3, 7, 64, 256):
    case("ImageQuantize", image=near, colors=colors, dither="none")
    case("ImageQuantize", image=flat, colors=colors, dither="floyd-steinberg")
see_through = torch.rand(1, 4, 5, 4)
for direction in ("right", "down", "left", "up"):
    for match, space, color in ((True, 0, "white"), (False, 3, "white"), (False, 2, "red"), (True, 4, "black")):
        case("ImageStitch", image1=wide, image2=narrow, direction=direction, match_image_size=match, spacing_width=space, spacing_color=color)
    case("ImageStitch", image1=see_through, image2=narrow, direction=direction, match_image_size=False, spacing_width=2, spacing_color="blue")
case("ImageStitch", image1=wide, direction="up", match_image_size=True, spacing_width=4, spacing_color="white")
for strength in (0.0, 0.2, 1.0):
    case("ImageAddNoise", image=wide, seed=90210, strength=strength)
case("SplitImageWithAlpha", image=see_through)
case("SplitImageWithAlpha", image=narrow)
case("JoinImageWithAlpha", image=narrow, alpha=torch.rand(1, 4, 3))
case("JoinImageWithAlpha", image=see_through, alpha=torch.rand(3, 4, 5))
for dim in ("x", "-x", "y", "-y", "t", "-t"):
    case("LatentConcat", samples1=two, samples2=one, dim=dim)
for dim, index, amount in (("x", 3, 4), ("x", -3, 9), ("y", 40, 2), ("y", -40, 3), ("t", 1, 2), ("t", -1, 5)):
    case("LatentCut", samples=masked, dim=dim, index=index, amount=amount)

# VideoHelperSuite's batches of frames; NODE_PACKS names its folder.
frames, few, low = torch.rand(5, 4, 6, 3), torch.rand(2, 5, 8, 3), torch.rand(1, 3, 4, 3)
for index in (0, 2, -1, 9, -9):
    case("VHS_SplitImages", images=frames, split_index=index)
for strategy in ("match A", "match B", "match smaller", "match larger"):
    for first, second in ((frames, few), (few, low), (frames, frames)):
        case("VHS_MergeImages", images_A=first, images_B=second, merge_strategy=strategy, scale_method="bilinear", crop="center")
for method in ("nearest-exact", "area", "bicubic", "bislerp"):
    case("VHS_MergeImages", images_A=few, images_B=low, merge_strategy="match A", scale_method=method, crop="disabled")
for nth, skip in ((1, 0), (2, 1), (3, 0), (2, 9)):
    case("VHS_SelectEveryNthImage", images=frames, select_every_nth=nth, skip_first_images=skip)
case("VHS_GetImageCount", images=frames)
case("VHS_DuplicateImages", images=few, multiply_by=3)
for indexes in ("0", "-1", "0, 3, 1", "1:4, 0", "0:-1", "0:5:-1", "::2", "::-1", "-3:, :2", "9:12, 1"):
    case("VHS_SelectImages", image=frames, indexes=indexes, err_if_missing=True, err_if_empty=True)

# What came with ComfyUI 0.29.0
for steps in (4, 7):
    case("ImageScaleToTotalPixels", image=rgb, upscale_method="nearest-exact", megapixels=0.0003, resolution_steps=steps)
for start, length in ((-1, 1), (-2, 4), (-9, 1)):
    case("LatentFromBatch", samples=masked, batch_index=start, length=length)
    case("ImageFromBatch", image=rgb, batch_index=start, length=length)
case("ImageBatch", image1=other, image2=torch.rand(2, 7, 5, 4))
case("ImageBatch", image1=see_through, image2=rgb)
case("JoinImageWithAlpha", image=torch.rand(3, 4, 5, 3), alpha=torch.rand(2, 4, 5))
safetensors.torch.save_file(tensors, sys.argv[1], metadata={"cases": json.dumps(cases)})
