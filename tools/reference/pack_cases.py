"""Makes test/fixtures/nodes/cases/packs.safetensors: nodes of packs on small inputs.

Usage: NODE_PACKS=folders of ComfyUI_essentials, ComfyUI-KJNodes, ComfyUI-Custom-Scripts, ComfyUI-Crystools, eden_comfy_pipelines, rgthree-comfy COMFY=... TORCHSDE=... PYTHONPATH=REF:KORNIA
       python tools/reference/pack_cases.py [OUT]   (REF holds comfy_env.py, KORNIA a checkout of kornia)
"""
import sys

from node_case_file import CaseFile, Listed, Typed
import torch

file = CaseFile()
case = file.case
torch.manual_seed(5)
wide, tall, alpha = torch.rand(1, 7, 9, 3), torch.rand(1, 8, 5, 3), torch.rand(1, 4, 3, 4)
pair = torch.rand(2, 3, 5, 3)
mask, masks, flat = torch.rand(1, 6, 5), torch.rand(3, 7, 6), (torch.rand(2, 10, 9) > 0.7).float()

# ComfyUI_essentials
turn = 0
for method in ("stretch", "keep proportion", "fill / crop", "pad"):
    for interpolation in ("nearest", "bilinear", "bicubic", "area", "nearest-exact", "lanczos"):
        width, height, multiple, condition = ((20, 11, 0, "always"), (8, 0, 4, "always"), (0, 12, 3, "downscale if bigger"), (10, 30, 0, "upscale if smaller"), (6, 6, 0, "if bigger area"), (33, 17, 8, "if smaller area"))[turn % 6]
        if method == "pad": width, height = width or 15, height or 13  # 16384 pixels otherwise
        for source in (wide, tall): case("ImageResize+", image=source, width=width, height=height, interpolation=interpolation, method=method, condition=condition, multiple_of=multiple)
        turn += 1 if turn % 4 else 2
for width, height, multiple in ((0, 0, 0), (5, 5, 0), (40, 3, 7)): case("ImageResize+", image=tall, width=width, height=height, interpolation="bilinear", method="fill / crop", condition="always", multiple_of=multiple)
for source in (pair, tall, alpha):
    case("GetImageSize+", image=source)
    case("ImageRemoveAlpha+", image=source)
    case("ImageBatchToList+", image=source)
for position in ("top-left", "top-center", "top-right", "right-center", "bottom-right", "bottom-center", "bottom-left", "left-center", "center"):
    case("ImageCrop+", image=wide, width=5, height=4, position=position, x_offset=-2, y_offset=3)
case("ImageCrop+", image=wide, width=50, height=4, position="center", x_offset=0, y_offset=0)
for axis in ("x", "y", "xy"):
    case("ImageFlip+", image=wide, axis=axis)
    case("MaskFlip+", mask=masks, axis=axis)
for method in ("luminance (Rec.709)", "luminance (Rec.601)", "average", "lightness"):
    for factor in (1.0, 0.35): case("ImageDesaturate+", image=wide, factor=factor, method=method)
for threshold in (0.5, 0.3, 0.7): case("ImagePosterize+", image=wide, threshold=threshold)
for amount in (0.8, 0.0, 1.0): case("ImageCASharpening+", image=wide, amount=amount)
for rows, cols, share, x, y in ((2, 2, 0.0, 0, 0), (2, 3, 0.25, 1, 0), (1, 2, 0.5, 2, 3), (3, 1, 0.0, 0, 1)):
    case("ImageTile+", image=wide, rows=rows, cols=cols, overlap=share, overlap_x=x, overlap_y=y)
for rows, cols, x, y in ((2, 2, 0, 0), (2, 2, 2, 3), (1, 4, 1, 0), (2, 1, 0, 4)):
    case("ImageUntile+", tiles=torch.rand(4, 6, 5, 3), overlap_x=x, overlap_y=y, rows=rows, cols=cols)
case("ImageUntile+", tiles=torch.rand(2, 7, 6, 3), overlap_x=0, overlap_y=0, rows=3, cols=2)
for how in ("expand", "repeat all", "repeat first", "repeat last"):
    for size in (1, 2, 5, 3):
        case("ImageExpandBatch+", image=torch.rand(3, 2, 2, 3), size=size, method=how)
        case("MaskExpandBatch+", mask=masks[:, :3, :3].contiguous(), size=size, method=how)
for start, length in ((0, -1), (1, 1), (9, 4)):
    case("ImageFromBatch+", image=pair, start=start, length=length)
    case("MaskFromBatch+", mask=masks, start=start, length=max(length, 1))
case("ImageBatchMultiple+", image_1=wide, method="lanczos", image_2=tall, image_4=wide)
case("ImageBatchMultiple+", image_1=wide, method="bicubic", image_3=tall)
case("ImageBatchMultiple+", image_1=tall, method="area", image_2=wide, image_3=wide, image_5=tall)
for images in ([wide, tall], [tall], [tall, wide, tall]): case("ImageListToBatch+", image=Listed(images))
for other in (masks, torch.rand(2, 6, 5)): case("MaskBatch+", mask1=mask, mask2=other)
for amount in (0, 1, 6, 9): case("MaskBlur+", mask=masks, amount=amount % 7, device="auto")
for amount in (0, 2, 5): case("MaskSmooth+", mask=flat, amount=amount)
for values in ((2, 0, 0, 0, 0), (-3, 0, 0, 0, 3), (0, 2, 3, 0, 0), (0, 3, 2, 4, 2), (4, 4, 4, 0, 0)):
    case("MaskFix+", mask=flat, erode_dilate=values[0], fill_holes=values[1], remove_isolated_pixels=values[2], smooth=values[3], blur=values[4])
pure = (torch.rand(1, 9, 9, 3) > 0.5).float() * 0.8 + torch.rand(1, 9, 9, 3) * 0.2
for limits in ((0.15, 0.15, 0.15), (0.2, 0.1, 0.05), (1.0, 0.0, 0.5)): case("MaskFromRGBCMYBW+", image=pure, threshold_r=limits[0], threshold_g=limits[1], threshold_b=limits[2])
for color, threshold in (((255, 255, 255), 0), ((200, 10, 30), 60), ((0, 0, 0), 51)): case("MaskFromColor+", image=pure, red=color[0], green=color[1], blue=color[2], threshold=threshold)
case("MaskFromList+", width=8, height=16, values=0.25)
case("MaskFromList+", width=8, height=8, str_values="0, 0.5, 1.5")
case("MaskFromList+", width=8, height=8, values=1, str_values="0.75")
case("MaskFromList+", width=8, height=8)
for padding, blur in ((0, 0), (2, 0), (1, 4)):
    spot = torch.zeros(2, 12, 14); spot[0, 4:6, 5:9] = 1; spot[1, 5, 3] = 0.5
    case("MaskBoundingBox+", mask=spot, padding=padding, blur=blur)
    case("MaskBoundingBox+", mask=spot, padding=padding, blur=blur, image_optional=torch.rand(1, 7, 9, 3))
for value in (0.0, -1.5, 3.25): case("SimpleMathFloat+", value=value)
for value in (0.0, 0.5, 1.0): case("SimpleMathPercent+", value=value)
for value in (0, -7, 12345678): case("SimpleMathInt+", value=value)
for value in (True, False, True): case("SimpleMathBoolean+", _outputs=1, value=value)
for value, low, high, places in ((0.5, 0.0, 1.0, 0), (0.123, -3.0, 9.5, 2), (0.999, 0.0, 100.0, 1)): case("SimpleMathSlider+", value=value, min=low, max=high, rounding=places)
for expression in ("a+b", "a/b", "a//b*c", "-a**2", "a%b", "min(a,b,c)", "max(a, 2)", "round(a/b, 2)", "a > b", "a == a", "a and b", "1 < a < 10", "7.5", "d + 1"):
    for a, b in ((7, 2), (2.5, -4)): case("SimpleMath+", value=expression, a=a, b=b, c=3)
case("SimpleMath+", value="a[1] * a[2] + len(a)", a=wide)
case("SimpleMath+", value="sum(a)", a=wide)
case("SimpleMath+", value="a * 2", a=Typed("STRING", "2.25"))
case("SimpleMath+", value="a +", a=1)
case("SimpleMathDual+", value_1="a+d", value_2="b*2", a=1, b=2.5, d=4)
case("SimpleMathDual+", value_1="a", value_2="c", a=1, c=7)
case("SimpleMathDual+", value_1="1", value_2="2")
for value in (0, 1, "x"): case("SimpleMathCondition+", evaluate=value, on_true="a", on_false="b*2", a=3, b=4)
for value in (0, 1, "x"): case("SimpleCondition+", evaluate=value, on_true="yes", on_false="no")
for operator in ("==", "!=", "<", "<=", ">", ">="):
    for a, b in ((1, 1.0), (2, 3), ("b", "a")): case("SimpleComparison+", a=a, b=b, comparison=operator)
for value in (5, 2.5, Typed("FLOAT", 3.0), "text", True): case("DisplayAny", input=value, mode="raw value")
for value in (wide, {"samples": torch.rand(1, 4, 3, 2)}): case("DisplayAny", input=value, mode="tensor shape")
for value in (wide, masks, {"samples": torch.rand(5, 4, 3, 2)}): case("BatchCount+", batch=value)
for latent in ({"samples": torch.rand(1, 4, 2, 2), "noise_mask": mask[None]}, {"samples": torch.rand(1, 4, 2, 2)}, {"samples": torch.rand(2, 4, 2, 2), "batch_index": [1, 2]}): case("RemoveLatentMask+", samples=latent)
for resolution, batch, width, height in (("704x1408 (0.5)", 1, 0, 0), ("1024x1024 (1.0)", 2, 64, 0), ("1728x576 (3.0)", 1, 24, 40)): case("SDXLEmptyLatentSizePicker+", resolution=resolution, batch_size=batch, width_override=width, height_override=height)

# KJNodes
for value in (0, -3, 2 ** 40): case("INTConstant", value=value)
for value in (0.0, 0.1234567, -2.5e-7): case("FloatConstant", value=value)
for value in (True, False, True): case("BOOLConstant", value=value)
for text in ("", "a b", "x\ny"): case("StringConstant", string=text)
for text in (" a\nb\n", "\n\n", "x y"):
    for whole in (True, False): case("StringConstantMultiline", string=text, strip_newlines=whole)
for source in (pair, tall, alpha):
    case("GetImageSizeAndCount", image=source)
    case("ImagePass", image=source)
case("ImageBatchMulti", inputcount=2, image_1=wide, image_2=tall)
case("ImageBatchMulti", inputcount=3, image_1=wide, image_2=alpha)
case("ImageBatchMulti", inputcount=4, image_1=wide, image_2=wide, image_3=tall, image_4=wide)
for direction in ("right", "down", "left", "up"):
    for matched in (True, False):
        case("ImageConcanate", image1=pair, image2=tall, direction=direction, match_image_size=matched)
        case("ImageConcanate", image1=wide, image2=Typed("MASK", mask), direction=direction, match_image_size=matched)
        case("ImageConcatMulti", inputcount=3, image_1=tall, image_2=alpha, image_3=wide, direction=direction, match_image_size=matched)
case("ImageConcanate", image1=Typed("MASK", masks), image2=wide, direction="right", match_image_size=False)
case("ImageConcatMulti", inputcount=2, image_1=tall, direction="up", match_image_size=False)
for turn, (width, height, kept, multiple) in enumerate(((20, 10, False, 2), (0, 12, True, 1), (13, 0, True, 4), (9, 9, True, 0), (0, 0, False, 3))):
    method = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")[turn]
    case("ImageResizeKJ", image=wide, width=width, height=height, upscale_method=method, keep_proportion=kept, divisible_by=multiple)
    case("ImageResizeKJ", image=tall, width=width, height=height, upscale_method=method, keep_proportion=kept, divisible_by=multiple, crop="center", get_image_size=wide)
for turn, kept in enumerate(("stretch", "resize", "pad", "pad_edge", "pad_edge_pixel", "crop", "total_pixels")):
    for at, position in enumerate(("center", "top", "bottom", "left", "right")):
        width, height, multiple = ((14, 7, 2), (8, 16, 1), (12, 12, 4))[(turn + at) % 3]
        method = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")[at]
        more = {} if at % 2 else {"mask": torch.rand(1, 7, 9)}
        case("ImageResizeKJv2", image=wide, width=width, height=height, upscale_method=method, keep_proportion=kept, pad_color=("0, 0, 0", "255, 128, 10", "#ff8000", "0.5", "1.0, 0.25, 0")[at], crop_position=position, divisible_by=multiple, unique_id=None, **more)
case("ImageResizeKJv2", image=tall, width=0, height=20, upscale_method="bilinear", keep_proportion="resize", pad_color="0", crop_position="center", divisible_by=0, unique_id=None, mask=torch.rand(1, 64, 64))
case("ImageResizeKJv2", image=tall, width=0, height=0, upscale_method="bilinear", keep_proportion="stretch", pad_color="0", crop_position="center", divisible_by=5, unique_id=None, mask=torch.rand(1, 5, 4))
grow = dict(incremental_expandrate=0.0, tapered_corners=True, flip_input=False, blur_radius=0.0, lerp_alpha=1.0, decay_factor=1.0)
for changes in ({"expand": 2}, {"expand": -1, "tapered_corners": False}, {"expand": 0, "blur_radius": 2.5}, {"expand": 1, "blur_radius": 0.3, "flip_input": True}, {"expand": 1, "incremental_expandrate": 0.7}, {"expand": -1, "incremental_expandrate": 1.5, "lerp_alpha": 0.4},
                {"expand": 1, "decay_factor": 0.3}, {"expand": 0, "fill_holes": True}, {"expand": 3, "blur_radius": 8.0, "tapered_corners": False}):
    case("GrowMaskWithBlur", mask=masks if "fill_holes" not in changes else (masks > 0.6).float(), **{**grow, **changes})
for low, high in ((0.0, 1.0), (0.2, 0.7), (-1.0, 3.0)): case("RemapMaskRange", mask=masks * 0.6, min=low, max=high)
case("RemapMaskRange", mask=torch.zeros(1, 2, 2), min=0.1, max=0.5)

# pythongosssss
for texts in (["a"], ["a", "b\nc"], [""]): case("ShowText|pysssss", text=Listed(texts))
for action in ("append", "replace"):
    for tidy in ("yes", "no"):
        for a, b, c in (("a cat ,  red", "cat", "dog"), ("x1y22", "/\\d+/", "<\\g<0>>"), ("", "", "only"), ("a,,b", "b", "")): case("StringFunction|pysssss", action=action, tidy_tags=tidy, text_a=a, text_b=b, text_c=c)
for expression in ("a + b", "a / b", "a // b", "a ** 2", "round(a / 3, 2)", "ceil(a / 2)", "floor(b)", "min(a, b)", "max(a, b, 9)", "sqrt(a)", "int(b)", "iif(a > b, 1, 2)", "a == 7", "a != b", "a >= b", "a & 3 | 8", "a ^ 1", "-a", "~a", "a << 2", "a %\n b", "a and b", "c", "sqrt(", "zzz"):
    for a, b in ((7, 2), (7, 2.5)): case("MathExpression|pysssss", expression=expression, a=a, b=b, prompt={}) if "&" not in expression and "^" not in expression or b == 2 else None
case("MathExpression|pysssss", expression="a.width * 2 + b.height", a=wide, b={"samples": torch.rand(1, 4, 3, 5)}, prompt={})

# Crystools, Eden
for value in (True, False, True): case("Primitive boolean [Crystools]", boolean=value)
for value in ("", "a", "b c"): case("Primitive string [Crystools]", string=value)
for value in ("", "a\nb", "b c"): case("Primitive string multiline [Crystools]", string=value)
for value in (0, -5, 123456): case("Primitive integer [Crystools]", int=value)
for value in (0.0, -5.5, 1e10): case("Primitive float [Crystools]", float=value)
for on in (True, False):
    case("Switch any [Crystools]", on_true=1, on_false="x", boolean=on)
    case("Switch string [Crystools]", on_true="a", on_false="b", boolean=on)
    case("Switch image [Crystools]", on_true=wide, on_false=tall, boolean=on)
    case("Switch mask [Crystools]", on_true=mask, on_false=masks, boolean=on)
    case("Switch from any [Crystools]", any=5, boolean=on)
for source in (wide, tall, alpha): case("Get resolution [Crystools]", image=source)
for name, values in (("Eden_String", ("", "a", "b\nc")), ("Eden_Int", (0, -4, 99)), ("Eden_Float", (0.0, -4.5, 9.25)), ("Eden_Bool", (True, False, True))):
    for value in values: case(name, value=value)
for comparison in ("a == b", "a != b", "a < b", "a > b", "a <= b", "a >= b"):
    for a, b in ((1, 1.0), (2, 3), ("b", "a")): case("Eden_Compare", a=a, b=b, comparison=comparison)
for op in ("Nor", "Xor", "Nand", "And", "Xnor", "Or", "Eq", "Neq"):
    for a in (True, False):
        for b in (True, False): case("Eden_BoolBinaryOperation", op=op, a=a, b=b)
for value in (0, 1, "", "x"): case("If ANY execute A else B", ANY=value, IF_TRUE="yes", IF_FALSE=2)
for seed in (0, 42, 2 ** 45): case("Seed (rgthree)", seed=seed)
file.save(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/cases/packs.safetensors")
