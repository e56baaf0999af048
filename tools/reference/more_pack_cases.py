"""Makes test/fixtures/nodes/cases/more-packs.safetensors: nodes of further packs on small inputs.

Usage: NODE_PACKS=folders of was-node-suite-comfyui, ComfyUI-Impact-Pack, ComfyUI-Easy-Use, eden_comfy_pipelines, ComfyUI-VideoHelperSuite COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/more_pack_cases.py [OUT]
"""
import sys

from node_case_file import CaseFile, Listed, Typed
import torch

file = CaseFile()
case = file.case
torch.manual_seed(8)
wide, tall, pair = torch.rand(1, 5, 7, 3), torch.rand(1, 6, 4, 3), torch.rand(2, 5, 7, 3)

for text in ("", "a\n# note\nb", "  #x\n\ny\n", "a # b", "\n", "é\r\nb"): case("Text Multiline", text=text)
for texts in (dict(text="a"), dict(text="a", text_b="b", text_d="d"), dict(text="", text_c="c")): case("Text String", **texts)
for delimiter in (", ", "\\n", ""):
    for clean in ("true", "false"):
        for texts in ({}, dict(text_a=" a ", text_c="c"), dict(text_b="", text_a="x", text_d=" "), dict(text_e="later", text_a="first")):
            case("Text Concatenate", delimiter=delimiter, clean_whitespace=clean, **{key: Typed("STRING", value) for key, value in texts.items()})
for expression in ("a + b", "a ^ 2", "min(a, b)", "max(a, b, c)", "sqrt(a)", "pow(a, b)", "a / 3", "a // b", "-a % b", "a > b", "7", "a +"):
    for a, b in ((7, 2), (2.5, 4)): case("Eden_Math", expression=expression, a=a, b=b)
case("Eden_Math", expression="a * 2", a=Typed("STRING", "1.5"))
for seed in (0, 42, 12345678901): case("Eden_Seed", seed=seed)
for value in ("", "a", "b\nc"): case("easy string", value=value)
for value in (0, -5, 999999): case("easy int", value=value)
for value in (0.0, 1.23456, -2.0005): case("easy float", value=value)
for value in (True, False, True): case("easy boolean", value=value)
for source in (wide, tall, pair): case("easy imageSize", image=source)
for images in (dict(image1=wide), dict(image1=wide, image2=tall), dict(image1=tall, image2=pair, image3=tall)): case("ImpactMakeImageBatch", **images)
for mode in (True, False):
    for a, b in ((1, 2), (7, -3), (4, 4)): case("ImpactMinMax", mode=mode, a=a, b=b)
for cond in (True, False):
    for yes, no in ((1, "x"), (2.5, 3)): case("ImpactConditionalBranch", cond=cond, tt_value=yes, ff_value=no)
for count in (1, 2, 5):
    latents, masks = {"samples": torch.rand(count, 4, 2, 3)}, torch.rand(count, 3, 2)
    case("VHS_GetLatentCount", latents=latents)
    case("VHS_GetMaskCount", mask=masks)
    case("VHS_DuplicateLatents", latents=latents, multiply_by=count)
    case("VHS_DuplicateMasks", mask=masks, multiply_by=4 - min(count, 3))
file.save(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/cases/more-packs.safetensors")
