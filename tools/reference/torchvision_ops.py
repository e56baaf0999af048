"""Makes torchvision importable where its compiled operators are missing, with non-maximum suppression as they do it.

Import it before torchvision. Nothing happens where the operators are there.
"""
import importlib.util
import os

import numpy as np
import torch


def nms(boxes, scores, iou_threshold):
    """torchvision's csrc/ops/cpu/nms_kernel.cpp."""
    order = torch.sort(scores, stable=True, descending=True).indices.numpy()
    box = boxes.numpy()
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    suppressed = np.zeros(len(box), bool)
    kept = []
    for rank, index in enumerate(order):
        if suppressed[index]:
            continue
        kept.append(index)
        rest = order[rank + 1:]
        width = np.maximum(0, np.minimum(box[index, 2], box[rest, 2]) - np.maximum(box[index, 0], box[rest, 0]))
        height = np.maximum(0, np.minimum(box[index, 3], box[rest, 3]) - np.maximum(box[index, 1], box[rest, 1]))
        both = width * height
        suppressed[rest[both / (area[index] + area[rest] - both) > iou_threshold]] = True
    return torch.tensor(np.array(kept, dtype=np.int64))


def missing():
    """Whether torchvision's library of operators can't be loaded."""
    folder = os.path.dirname(importlib.util.find_spec("torchvision").origin)
    try:
        torch.ops.load_library(os.path.join(folder, "_C.so"))
    except OSError:
        return True
    return False


if missing():
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    torchvision.ops.nms = nms
