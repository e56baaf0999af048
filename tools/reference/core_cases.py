"""Makes test/fixtures/nodes/cases/core.safetensors: further classes of ComfyUI's own on small inputs.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/core_cases.py [OUT]
"""
import sys

from node_case_file import CaseFile, Listed, Typed
import torch

file = CaseFile()
case = file.case
torch.manual_seed(14)
wide, tall, pair, clear = torch.rand(1, 7, 9, 3), torch.rand(1, 8, 5, 3), torch.rand(2, 4, 6, 3), torch.rand(1, 4, 6, 4)
masks, thin = torch.rand(2, 4, 6), torch.rand(1, 9, 4)

for mode in "ADD CLEAR DARKEN DST DST_ATOP DST_IN DST_OUT DST_OVER LIGHTEN MULTIPLY OVERLAY SCREEN SRC SRC_ATOP SRC_IN SRC_OUT SRC_OVER XOR".split():
    case("PorterDuffImageComposite", source=pair, source_alpha=masks, destination=1 - pair, destination_alpha=masks.flip(1), mode=mode)
case("PorterDuffImageComposite", source=wide, source_alpha=thin, destination=tall, destination_alpha=masks, mode="SRC_OVER")
case("PorterDuffImageComposite", source=clear, source_alpha=masks, destination=clear, destination_alpha=torch.ones(1, 4, 6), mode="XOR")
case("PorterDuffImageComposite", source=clear, source_alpha=masks, destination=pair, destination_alpha=masks, mode="SRC")
picture = torch.rand(1, 70, 66, 1)
for width, height, overlap in ((64, 64, 20), (64, 69, 4096), (128, 128, 0)): case("SplitImageToTileList", image=picture, tile_width=width, tile_height=height, overlap=overlap)
tiles = [torch.rand(1, 40, 48, 1) for _ in range(6)]
for count, width, height, overlap in ((6, 100, 80, 16), (4, 90, 70, 0), (2, 64, 64, 30)): case("ImageMergeTileList", image_list=Listed(tiles[:count]), final_width=Listed([width]), final_height=Listed([height]), overlap=Listed([overlap]))
for source in (wide, tall, pair):
    for length in (3, 12): case("ResizeImagesByShorterEdge", images=source, shorter_edge=length)
    for length in (3, 11): case("ResizeImagesByLongerEdge", images=source, longer_edge=length)
    for width, height in ((4, 4), (3, 9), (100, 1)): case("CenterCropImages", images=source, width=width, height=height)
    for mean, std in ((0.5, 0.5), (0.1, 0.001)): case("NormalizeImages", images=source, mean=mean, std=std)
    for factor in (0.0, 0.7, 1.9):
        case("AdjustBrightness", images=source, factor=factor)
        case("AdjustContrast", images=source, factor=factor)
case("MergeImageLists", images=Listed([wide, pair]))
for columns, padding in ((1, 0), (2, 3), (4, 5)): case("ImageGrid", images=Listed([wide, pair]), columns=Listed([columns]), cell_width=Listed([32]), cell_height=Listed([40]), padding=Listed([padding]))
flat, film = {"samples": torch.randn(2, 4, 6, 5)}, {"samples": torch.randn(1, 3, 5, 2, 3)}
for latent in (flat, film):
    for dim in ("t", "x", "y"):
        for size in (1, 2, 9): case("LatentCutToBatch", samples=latent, dim=dim, slice_size=size)
for index in (0, 3, -2, -5, 4, 9): case("ReplaceVideoLatentFrames", destination=film, source={"samples": torch.randn(1, 3, 2, 2, 3)}, index=index)
case("ReplaceVideoLatentFrames", destination=film, index=2)
for text in ("a b", "  É ß x\n", ""):
    case("AddTextPrefix", texts=text, prefix="p ")
    case("AddTextSuffix", texts=text, suffix=", s")
    case("ReplaceText", texts=text, find=" ", replace="__")
    case("StripWhitespace", texts=text)
    case("TextToLowercase", texts=text)
    case("TextToUppercase", texts=text)
    for length in (1, 3, 77): case("TruncateText", texts=text, max_length=length)
# ComfyUI gives a list with the text in it here.
for each in file.cases:
    outputs = each.get("outputs")
    if outputs and each["node"].endswith(("Text", "case", "Prefix", "Suffix", "Whitespace")): each["outputs"] = outputs[0]["list"]
file.save(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/cases/core.safetensors")
