"""Makes test/fixtures/nodes/cases/data-sets.safetensors: what is chosen for data sets, and histograms.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/data_set_cases.py [OUT]
"""
import sys

from node_case_file import CaseFile, Listed
import torch

file = CaseFile()
case = file.case
torch.manual_seed(15)
pictures = [torch.rand(1, height, width, 3) for height, width in ((6, 9), (9, 6), (5, 5), (7, 4), (4, 8), (6, 6), (3, 9))]
texts = [f"text {index}" for index in range(len(pictures))]
for seed in (0, 1, 12345, 2**32 - 1, 2**32 + 5, 2**64 - 1):
    for count in (1, 2, 7): case("ShuffleDataset", images=Listed(pictures[:count]), seed=Listed([seed]))
    case("ShuffleImageTextDataset", images=Listed(pictures), texts=Listed(texts), seed=Listed([seed]))
    for width, height in ((3, 2), (100, 4), (5, 100)): case("RandomCropImages", images=pictures[0], width=width, height=height, seed=seed)
smooth = torch.nn.functional.interpolate(torch.rand(5, 3, 3, 3), (24, 20), mode="bicubic").clamp(0, 1).permute(0, 2, 3, 1)
similar = [smooth[0:1], smooth[1:2], (smooth[0:1] * 0.9 + 0.02), smooth[2:3], smooth[2:3].flip(2), smooth[3:4] * 0.8 + smooth[2:3] * 0.2, smooth[4:5], torch.zeros(1, 9, 9, 3)]
for threshold in (0.95, 0.6, 0.75, 1.0, 0.0): case("ImageDeduplication", images=Listed(similar), similarity_threshold=Listed([threshold]))
for image in (smooth, smooth[1:3], torch.rand(1, 9, 7, 3) * 1.4 - 0.2): case("ImageHistogram", image=image)
file.save(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/cases/data-sets.safetensors")
