"""Makes test/fixtures/nodes/node-info.json: what ComfyUI says about the node classes named on the command line.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/node_info.py OUT CLASS...   (REF holds comfy_env.py)
Classes of node packs are found in the folders that NODE_PACKS names.
"""
import json
import os
import sys
from unittest import mock

from comfy_nodes import NODES, DISPLAY_NAMES

KEPT = ("default", "min", "max", "step", "round", "multiline")


def inputs(specs):
    found = {}
    for name, spec in specs.items():
        kind, options = spec[0], spec[1] if len(spec) > 1 else {}
        entry = {key: options[key] for key in KEPT if options.get(key) is not None and (key != "multiline" or options[key])}
        if isinstance(kind, (list, tuple)) or kind == "COMBO":
            entry["options"] = list(kind if kind != "COMBO" else options["options"])
            kind = "COMBO"
        found[name] = {"type": str(getattr(kind, "value", kind)), **entry}
    return found


class SortedScan:
    """os.scandir by name: lists made of folders must not depend on the file system's order."""
    scan = os.scandir

    def __init__(self, folder):
        self.entries = iter(sorted(SortedScan.scan(folder), key=lambda entry: entry.name))

    def __iter__(self):
        return self.entries

    def __next__(self):
        return next(self.entries)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def close(self):
        pass


info = {}
for name in sys.argv[2:]:
    node = NODES[name]
    with mock.patch("os.scandir", SortedScan):
        specs = node.INPUT_TYPES()
    types = [str(getattr(kind, "value", kind)) for kind in node.RETURN_TYPES]
    info[name] = {
        "display_name": DISPLAY_NAMES.get(name, name),
        "category": node.CATEGORY,
        "output_node": bool(getattr(node, "OUTPUT_NODE", False)),
        "required": inputs(specs.get("required", {})),
        "optional": inputs(specs.get("optional", {})),
        "outputs": types,
        "output_names": list(getattr(node, "RETURN_NAMES", None) or types),
    }
with open(sys.argv[1], "w") as file:
    json.dump(info, file, separators=(",", ":"))
