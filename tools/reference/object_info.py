"""Makes test/fixtures/nodes/object-info.json: what ComfyUI says about its own node classes, every one, and those of packs.

Usage: PYTHONPATH=REF COMFY=... TORCHSDE=... python tools/reference/object_info.py [OUT]   (REF holds comfy_env.py)
NODE_PACKS may name folders of node packs, separated by colons; entries of packs that it doesn't name stay as they are. CLASSES is a JSON file with the names of latentd's classes
(`node -e "import('./dist/nodes/index.js').then(({nodeClasses}) => console.log(JSON.stringify([...nodeClasses.keys()])))"`): of packs, these alone are kept. One class a line. What an editor alone looks at
(texts, how a widget is shown, what a pack's own widgets want) is left out.
"""
import json
import os
import sys
from unittest import mock

from comfy_nodes import DISPLAY_NAMES, NODES, ORIGINS

OUT = sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/object-info.json"
KEPT = {"default", "min", "max", "step", "round", "multiline", "options", "control_after_generate", "lazy", "forceInput", "rawLink", "template", "multi_select", "inputs", "slotType"}


def named(kind):
    return str(getattr(kind, "value", kind))


def spec(entry):
    kind, options = entry[0], dict(entry[1]) if len(entry) > 1 and entry[1] else {}
    kept = {key: value for key, value in options.items() if key in KEPT and value is not None}
    if options.get("multi_select") is not None: kept["multi_select"] = True
    if isinstance(kind, (list, tuple)):
        kept["options"] = list(kind)
        kind = "COMBO"
    for key in ("multiline", "lazy", "forceInput", "control_after_generate", "rawLink"):
        if kept.get(key) is False: del kept[key]
    # Of numbers, an editor's own.
    if kind in ("INT", "FLOAT"): kept.pop("multiline", None)
    return [named(kind), nested(kept)]


def nested(value):
    """Inputs within the options of dynamic ones."""
    if isinstance(value, dict): return {str(key): spec(item) if is_spec(item) else nested(item) for key, item in value.items()}
    return [nested(item) for item in value] if isinstance(value, (list, tuple)) else value


def is_spec(value):
    return isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[0], (str, list)) and isinstance(value[1], dict)


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


def described(name):
    node = NODES[name]
    v3 = hasattr(node, "GET_NODE_INFO_V1")
    with mock.patch("os.scandir", SortedScan):
        info = node.GET_NODE_INFO_V1() if v3 else {"input": node.INPUT_TYPES()}
    outputs = [named("COMBO" if isinstance(kind, (list, tuple)) else kind) for kind in (info["output"] if v3 else node.RETURN_TYPES)]
    lists = info["output_is_list"] if v3 else getattr(node, "OUTPUT_IS_LIST", ())
    flags = {"output_node": info["output_node"] if v3 else getattr(node, "OUTPUT_NODE", False), "is_input_list": info["is_input_list"] if v3 else getattr(node, "INPUT_IS_LIST", False)}
    return {
        "from": ORIGINS[name],
        "display_name": DISPLAY_NAMES.get(name, name),
        "category": info["category"] if v3 else getattr(node, "CATEGORY", "sd"),
        **{key: True for key, value in flags.items() if value},
        **{section: {key: spec(entry) for key, entry in info["input"][section].items()} for section in ("required", "optional") if info["input"].get(section)},
        "output": outputs,
        "output_name": [str(text) for text in (info["output_name"] if v3 else getattr(node, "RETURN_NAMES", None) or outputs)],
        **({"output_is_list": list(lists)} if any(lists or ()) else {}),
        **({"output_matchtypes": info["output_matchtypes"]} if v3 and any(info["output_matchtypes"] or ()) else {}),
    }


known = {}
if os.path.exists(OUT):
    with open(OUT) as file: known = json.load(file)
fresh = {}
with open(os.environ["CLASSES"]) if "CLASSES" in os.environ else open(os.devnull) as file: ours = set(json.loads(file.read() or "[]"))
for name in NODES:
    if not ORIGINS[name].startswith("nodes") and name not in ours: continue
    try: fresh[name] = described(name)
    except Exception as error: print(name, repr(error), file=sys.stderr)
origins = set(ORIGINS.values())
whole = {**{name: entry for name, entry in known.items() if entry["from"] not in origins}, **fresh}
line = lambda name: json.dumps(name, ensure_ascii=False) + ":" + json.dumps(whole[name], separators=(",", ":"), default=str, ensure_ascii=False)
with open(OUT, "w") as file:
    file.write("{\n" + ",\n".join(line(name) for name in sorted(whole)) + "\n}\n")
