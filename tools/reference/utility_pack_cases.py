"""Makes test/fixtures/nodes/cases/utility-packs.safetensors: plain nodes of further packs on small inputs.

Usage: NODE_PACKS=folders of was-node-suite-comfyui, ComfyUI-QualityOfLifeSuit_Omar92@src/QualityOfLifeSuit_Omar92, comfy-image-saver, comfy-pack@nodes/nodes,
       comfyui-deploy/comfy-nodes@external_boolean,external_number,external_number_int,external_text, SwarmComfyCommon@SwarmInputNodes
       COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/utility_pack_cases.py [OUT]
"""
import base64
import io
import sys

from node_case_file import CaseFile, Listed, Typed
from PIL import Image
import torch

file = CaseFile()
case = file.case
torch.manual_seed(12)
wide, tall, pair = torch.rand(1, 5, 7, 3), torch.rand(1, 6, 4, 3), torch.rand(2, 6, 5, 3)
text = lambda value: Typed("STRING", value)

# WAS
for value, label in (("a\nb", "Text Output"), ("", " "), ("x", "note")): case("Text to Console", text=text(value), label=label)
for seed in (0, 5, 632594966468793, 2 ** 64 - 1):
    for lines in ("small\naverage\ntall\nskinny\nathletic\nlazy", "one", "a\nb\n", "\n".join(str(n) for n in range(300))): case("Text Random Line", text=text(lines), seed=seed)
for value in ("plain", "a [hello] b", "[time(x)]%Y"): case("Text Parse Tokens", text=text(value))
for find, replace in (("a", "x"), (r"(\w)(\d)", r"\2-\1"), ("", "."), ("[", "x")): case("Text Find and Replace", text=text("a1 b2 aa c33"), find=find, replace=replace)
for value in (0, -3, 2 ** 40): case("Number to Int", number=Typed("NUMBER", value))
for value in (2.75, -2.75): case("Number to Int", number=Typed("NUMBER", value))
for value in (3, -1, 7): case("Number to Float", number=Typed("NUMBER", value))
for image in (wide, tall, torch.rand(1, 3, 9, 4)): case("Image Size to Number", image=image)
for name in ("Logic Comparison OR", "Logic Comparison AND", "Logic Comparison XOR"):
    for a in (True, False):
        for b in (True, False): case(name, boolean_a=a, boolean_b=b)
for value in (True, False, True):
    case("Logic NOT", boolean=value)
    case("Logic Boolean Primitive", boolean=value)
for value in (0.0, 0.5, 0.51, 1.0): case("Logic Boolean", boolean=value)
for mode in ("area", "bicubic", "bilinear", "nearest"):
    for align in ("true", "false"):
        for factor in (2.0, 0.5, 1.37): case("Latent Upscale by Factor (WAS)", samples={"samples": torch.rand(1, 2, 5, 8)}, mode=mode, factor=factor, align=align)

for image in (wide, torch.rand(2, 3, 4, 4) * 1.4 - 0.2, tall): case("Images to RGB", images=image)

# QualityOfLifeSuit
for method in ("nearest-exact", "bilinear", "area"):
    for crop in ("disabled", "center"):
        for width, height in ((1.25, 1.25), (2.0, 0.84375), (0.5625, 3.1)):
            case("LatentUpscaleFactor _O", samples={"samples": torch.rand(1, 1, 10, 13)}, upscale_method=method, WidthFactor=width, HeightFactor=height, crop=crop)
            case("ImageScaleFactor _O", image=wide if crop == "center" else pair, upscale_method=method, WidthFactor=width, HeightFactor=height + 0.25, MulOf46="disabled" if height > 2 else "enabled", crop=crop)
        case("LatentUpscaleFactorSimple _O", samples={"samples": torch.rand(1, 1, 10, 13)}, upscale_method=method, factor=1.25, crop=crop)
        case("ImageScaleFactorSimple _O", image=pair, upscale_method=method, Factor=1.53125, MulOf46="enabled", crop=crop)
for index in (0, 2, 9): case("selectLatentFromBatch _O", samples={"samples": torch.rand(3, 4, 2, 2)}, index=index)
for image in (wide, tall, pair): case("GetImage_(Width&Height) _O", image=image)
for shape in ((1, 4, 2, 3), (2, 16, 8, 8), (1, 4, 7, 1)): case("GetLatent_(Width&Height) _O", samples={"samples": torch.rand(*shape)})
for value in (0.0, 3.99, 1e17): case("floatToInt _O", float=value)
for value in (0, 3, 2 ** 40): case("intToFloat _O", int=value)
for value in (0.0, 3.99, 1e17): case("floatToText _O", float=value)
for value in ("", "a", "b\nc"):
    case("Text _O", text=value)
    case("Note _O", text=value)
    case("Trim Text _O", text=f" \t{value}\n")
    case("Concat Text _O", text1=value, text2="z", separator=", ")
    case("Replace Text _O", text=f"a{value}a", old="a", new="--")
    case("Debug Text route _O", text=value, prefix="p")
case("Replace Text _O", text="abc", old="", new="-")
for value in (0, 7, 2 ** 63 + 1): case("seed _O", seed=value)
for value in (0, 7, 99): case("int _O", int=value)
for value in (0.0, 7.25, 99.5): case("float _O", float=value)

# Values of APIs and forms
for value in ("", "a", "b\nc"):
    case("String Literal", string=value)
    case("CPackInputString", value=value)
    case("ComfyUIDeployExternalText", input_id="x", default_value=value, display_name="", description="")
    case("SwarmInputText", title="t", value=value, view_type="prompt", description="", order_priority=0, is_advanced=False, raw_id="prompt")
for value in (1, 512, 16384): case("Width/Height Literal", int=value)
for value in (0, 5, 1000000):
    case("Int Literal", int=value)
    case("CPackInputInt", value=value)
    case("SwarmInputInteger", title="t", value=value, step=1, min=0, max=100, view_max=100, view_type="slider", description="", order_priority=0, is_advanced=False, raw_id="")
    for given in ("input_number", "42", " 7 ", ""): case("ComfyUIDeployExternalNumberInt", input_id=given, default_value=value)
for value in (0.0, 8.0, 99.5):
    case("Cfg Literal", float=value)
    case("SwarmInputFloat", title="t", value=value, step=0.1, min=0, max=100, view_max=100, view_type="slider", description="", order_priority=0, is_advanced=False, raw_id="")
    for given in ("input_number", "4.5", "1e3", ""): case("ComfyUIDeployExternalNumber", input_id=given, default_value=value)
for value in (0, 5, 2 ** 64 - 1): case("Seed Generator", seed=value)
for value in (True, False, True):
    case("ComfyUIDeployExternalBoolean", input_id="x", default_value=value)
    case("SwarmInputBoolean", title="t", value=value, description="", order_priority=0, is_advanced=False, raw_id="")
for value in (1, "x", 2.5): case("CPackInputAny", input=value)

# Pictures as data
def picture(kind, mode, size=(5, 4), prefix=True):
    pixels = Image.frombytes("RGBA", size, bytes((7 * n * n + 13 * n) % 256 for n in range(size[0] * size[1] * 4)))
    written = io.BytesIO()
    if mode == "P": pixels.convert("RGB").quantize(7).save(written, kind, transparency=2)
    else: pixels.convert(mode).save(written, kind)
    data = base64.b64encode(written.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{data}" if prefix else data

for kept in (True, False):
    for listed in (True, False):
        for lines in ([picture("PNG", "RGB")], [picture("PNG", "RGBA"), picture("PNG", "RGBA", (5, 4))], [picture("PNG", "L"), "", picture("BMP", "RGB")], [picture("PNG", "P")], [picture("PNG", "LA"), picture("PNG", "RGB", (3, 2))], [""]):
            case("LoadImageFromUrl", image="\n".join(lines), keep_alpha_channel=kept, output_mode=listed)
for channel in ("alpha", "red", "green", "blue"):
    for lines in ([picture("PNG", "RGBA")], [picture("PNG", "RGB"), picture("PNG", "RGB")]): case("LoadImageAsMaskFromUrl", image="\n".join(lines), channel=channel, output_mode=len(lines) > 1)
for mode in ("RGB", "RGBA", "L"):
    for name in ("ComfyUIDeployExternalImage", "ComfyUIDeployExternalImageAlpha"):
        if (mode, name) != ("L", "ComfyUIDeployExternalImageAlpha"): case(name, input_id=picture("PNG", mode), default_value=wide)
        case(name, input_id="input_image", default_value=tall)
case("ComfyUIDeployExternalImage", input_id="input_image", default_value_url=picture("PNG", "RGB", (3, 2)))
for mode in ("RGB", "RGBA", "L"):
    case("ETN_LoadImageBase64", _outputs=1, image=picture("PNG", mode, prefix=False))
    case("ETN_LoadMaskBase64", mask=picture("PNG", mode, prefix=False))

# Easy-Use
for value in ("", "a", "b\nc"):
    case("easy positive", positive=value)
    case("easy negative", negative=value)
for text in ("a\n\nb\n c\n", "one", "a\nb\nc\nd"):
    for start, rows in ((0, 1000), (1, 1), (9, 2)):
        for cut in (True, False): case("easy promptLine", prompt=text, start_index=start, max_rows=rows, remove_empty_lines=cut)
for mode in ("RGB", "RGBA", "L"): case("easy loadImageBase64", base64_data=picture("PNG", mode, prefix=False), image_output="Hide", save_prefix="x")
for toggle in (True, True): case("easy loraStack", toggle=toggle, mode="simple", num_loras=2, lora_1_name="None", lora_2_name="None")
file.save(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/cases/utility-packs.safetensors")
