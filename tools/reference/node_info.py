"""Makes test/fixtures/nodes/node-info.json: what ComfyUI says about the node classes named on the command line.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/node_info.py OUT CLASS...   (REF holds comfy_env.py)
"""
import json
import sys

from comfy_nodes import NODES, DISPLAY_NAMES

KEPT = ("default", "min", "max", "step", "round", "multiline")


def inputs(specs):
    found = {}
    for name, spec in specs.items():
        kind, options = spec[0], spec[1] if len(spec) > 1 else {}
        entry = {key: options[key] for key in KEPT if options.get(key) is not None}
        if isinstance(kind, (list, tuple)) or kind == "COMBO":
            entry["options"] = list(kind if kind != "COMBO" else options["options"])
            kind = "COMBO"
        found[name] = {"type": str(getattr(kind, "value", kind)), **entry}
    return found


info = {}
for name in sys.argv[2:]:
    node = NODES[name]
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
