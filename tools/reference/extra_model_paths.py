"""What ComfyUI makes of `extra_model_paths.yaml` files: python extra_model_paths.py > test/fixtures/models/extra-model-paths.json

Needs COMFY (a checkout) in the environment and PyYAML. Each case is a text and what it adds: [kind, folder, is default] in order, or null
where ComfyUI fails. Folders are relative to the file's own.
"""
import json
import os
import sys
import tempfile
import types

sys.path.insert(0, os.environ["COMFY"])
added = []
stub = types.ModuleType("folder_paths")
stub.add_model_folder_path = lambda kind, path, is_default: added.append([kind, path, bool(is_default)])
sys.modules["folder_paths"] = stub
import utils.extra_config as extra_config

FLAGS = ["true", "True", "TRUE", "yes", "Yes", "on", "ON", "1", "0", "0x1", "1.5", "0.0", '"true"', '"false"', "'no'", "y", "n", "Y",
         "no", "off", "Off", "false", "~", "null", '""', "[]", "[1]", "maybe"]
cases = [f"a:\n  base_path: A\n  is_default: {flag}\n  loras: l\n" for flag in FLAGS]
cases += [
    "x: &d\n  base_path: ./A\na:\n  <<: *d\n  loras: l\n",
    "x: &d\n  base_path: ./A\n  vae: v\na:\n  <<: *d\n  base_path: B\n  loras: l\n",
    "x: &d {base_path: A}\ny: &e {is_default: yes}\na:\n  <<: [*d, *e]\n  loras: l\n",
    "a:\n  base_path: A\n  loras: one\n  loras: two\n",
    "a:\n  loras: one\na:\n  loras: two\n",
    "a:\n  loras: |\n    one\n    two\n\n    three\n",
    "a:\n  loras: |-\n    one\n    two\n",
    "a:\n  loras: >\n    one\n    two\n",
    'a:\n  loras: "one\\ntwo"\n',
    "a:\n  loras: one # a comment\n",
    "a:\n  loras: 'it''s'\n",
    "a:\n  base_path: /abs/./x/..\n  loras: l/../m\n",
    "a:\n  loras: /abs/l\n  vae: v\n",
    "a:\nb:\n  loras: l\n",
    "# nothing but comments in front\n---\na:\n  loras: l\n",
    "\ufeffa:\n  loras: l\n",
    "a: {base_path: A, loras: l, vae: v}\n",
    "a:\n  base_path: 'C:\\models'\n  loras: l\n",
    "a:\n  loras: 5\n",
    "a:\n  loras: [one, two]\n",
    "a:\n  loras:\n",
    "a: text\n",
    "a:\n\tloras: l\n",
    "a:\n  base_path: 5\n  loras: l\n",
    "a:\n  loras: !!str l\n",
    "a:\n  loras: !!python/object:os.system l\n",
]
result = []
with tempfile.TemporaryDirectory() as folder:
    for text in cases:
        added.clear()
        path = os.path.join(folder, "extra.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            extra_config.load_extra_path_config(path)
            found = [[kind, os.path.relpath(where, folder) if where.startswith(folder) else where, default]
                     for kind, where, default in added]
        except Exception:
            found = None
        result.append({"text": text, "added": found})
json.dump(result, sys.stdout, indent=1)
print()
