"""Makes test/fixtures/workflow/execution.json: what ComfyUI's own executor runs of workflows of small node classes, in which order, with which values and
results. The same node classes in TypeScript are in test/workflow/control-nodes.ts.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=folder-of-comfy_env.py python tools/reference/execution.py [OUT]
"""
import asyncio
import json
import sys

import comfy_env  # noqa: F401
import execution
import nodes
from comfy_api.latest import io
from comfy_execution.graph import ExecutionBlocker
from comfy_execution.graph_utils import GraphBuilder
from comfy_execution.utils import get_executing_context

log = []


def told(*values):
    """A line for each call: the node's id and what it was given."""
    log.append([get_executing_context().node_id, json.dumps(values, default=str)])


def node_class(inputs, returns, **more):
    """A class of the old style around a function of its inputs."""
    def decorate(function):
        def run(self, **given): return function(**given)
        body = {"INPUT_TYPES": classmethod(lambda s: inputs), "RETURN_TYPES": returns, "FUNCTION": "run", "run": run, **more}
        return nodes.NODE_CLASS_MAPPINGS.setdefault(function.__name__, type(function.__name__, (), body))
    return decorate


INT, ANY, TEXT = ("INT", {"default": 0, "min": -1000, "max": 1000}), ("*", {}), ("STRING", {"default": ""})
nodes.NODE_CLASS_MAPPINGS.clear()


@node_class({"required": {"value": INT}}, ("INT",))
def Num(value):
    told(value)
    return (value,)


@node_class({"required": {"count": INT}}, ("INT", "STRING"), OUTPUT_IS_LIST=(True, False))
def Count(count):
    told(count)
    return (list(range(count)), f"{count} numbers")


@node_class({"required": {"a": INT, "b": INT}}, ("INT",))
def Add(a, b):
    told(a, b)
    return (a + b,)


@node_class({"required": {"values": INT, "label": TEXT}}, ("STRING", "INT"), INPUT_IS_LIST=True)
def Collect(values, label):
    told(values, label)
    return (" ".join(str(v) for v in values) + " " + "/".join(label), len(values))


@node_class({"required": {"values": INT}}, ("INT",), INPUT_IS_LIST=True, OUTPUT_IS_LIST=(True,))
def Reverse(values):
    told(values)
    return (list(reversed(values)),)


@node_class({"required": {"first": ("INT", {"lazy": True}), "second": ("INT", {"lazy": True}), "which": INT}}, ("INT",),
            check_lazy_status=lambda self, which, first=None, second=None: [n for n, v, w in (("first", first, 1), ("second", second, 2)) if which & w and v is None])
def Lazy(first, second, which):
    told(first, second, which)
    return (which,)


@node_class({"required": {"value": INT, "limit": INT}, "optional": {"message": TEXT}}, ("INT", "INT"))
def Gate(value, limit, message=None):
    told(value, limit, message)
    return (ExecutionBlocker(message) if value > limit else value, value)


@node_class({"required": {"value": INT}}, ("INT",))
def Never(value):
    told(value)
    return {"result": ExecutionBlocker(None)}


@node_class({"required": {"value": INT, "times": INT}}, ("INT", "INT"))
def Repeat(value, times):
    """Adds 1 to a value so many times, each by a node of its own."""
    told(value, times)
    graph = GraphBuilder()
    last = graph.node("Num", value=value)
    for _ in range(times):
        last = graph.node("Add", a=last.out(0), b=1)
    return {"result": (last.out(0), times), "expand": graph.finalize()}


@node_class({"required": {"value": INT, "times": INT}}, ("INT",))
def Loop(value, times):
    """The same by recursion: expands into itself."""
    told(value, times)
    if times == 0:
        return (value,)
    graph = GraphBuilder()
    more = graph.node("Add", a=value, b=1)
    again = graph.node("Loop", "again", value=more.out(0), times=times - 1)
    again.set_override_display_id("shown")
    return {"result": (again.out(0),), "expand": graph.finalize()}


@node_class({"required": {"count": INT}}, ("INT", "INT"))
def Spread(count):
    """Its first output is a list of the graph's."""
    told(count)
    graph = GraphBuilder()
    listed = graph.node("Count", count=count)
    return {"result": (listed.out(0), 7), "expand": graph.finalize()}


@node_class({"required": {"value": INT}}, ("INT",))
def ShowInside(value):
    """Shows its value by an output node of the graph."""
    told(value)
    graph = GraphBuilder()
    number = graph.node("Num", value=value)
    graph.node("Show", source=number.out(0))
    return {"result": (number.out(0),), "expand": graph.finalize(), "ui": {"text": [f"expands {value}"]}}


@node_class({"required": {"outer": INT, "inner": INT}}, ("INT",))
def Outer(outer, inner):
    """A graph that refers to what the expanding node is not linked to."""
    told(outer, inner)
    graph = GraphBuilder()
    one = graph.node("Repeat", "one", value=outer, times=1)
    two = graph.node("Repeat", "two", value=inner, times=2)
    total = graph.node("Add", a=one.out(0), b=two.out(0))
    return {"result": (total.out(0),), "expand": graph.finalize()}


@node_class({"required": {"source": ANY}}, ("STRING",), OUTPUT_NODE=True)
def Show(source):
    told(source)
    return {"ui": {"text": [str(source)]}, "result": (str(source),)}


@node_class({"required": {"value": INT}, "hidden": {"id": "UNIQUE_ID"}}, ("STRING",))
def Own(value, id):
    told(value, id)
    return (f"{id}: {value}",)


@node_class({"required": {"value": INT}, "hidden": {"prompt": "PROMPT", "extra": "EXTRA_PNGINFO", "graph": "DYNPROMPT"}}, ("STRING",))
def Look(value, prompt, extra, graph):
    told(value, sorted(prompt), extra, sorted(graph.all_node_ids()) and graph.get_parent_node_id("nobody"))
    return (json.dumps(prompt["1"]["inputs"], sort_keys=True),)


@node_class({"required": {"value": INT}}, ("INT",), NOT_IDEMPOTENT=True)
def Apart(value):
    told(value)
    return (value,)


@node_class({"required": {"value": INT}}, ("INT",), IS_CHANGED=classmethod(lambda s, value: float("nan") if value == 0 else value % 10))
def Changing(value):
    told(value)
    return (value,)


@node_class({"required": {"value": INT}}, ("INT",))
def Fail(value):
    told(value)
    raise ValueError(f"no {value}")


@node_class({"required": {"value": ("INT", {"lazy": True, "rawLink": True})}}, ("STRING",))
def Raw(value):
    told(value)
    return (f"{value[0]} {value[1]}",)


@node_class({"required": {"value": INT}, "optional": {"other": INT}}, ("INT",),
            VALIDATE_INPUTS=classmethod(lambda s, value, other=5: True if value is None or value < other else f"{value} is too much"))
def Careful(value, other=5):
    told(value, other)
    return (value,)


def v3(cls):
    nodes.NODE_CLASS_MAPPINGS[cls.GET_SCHEMA().node_id] = cls
    return cls


@v3
class Sum(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Sum", inputs=[io.Autogrow.Input("values", template=io.Autogrow.TemplatePrefix(io.Int.Input("value"), prefix="n", min=1, max=5)),
                                                io.Autogrow.Input("named", template=io.Autogrow.TemplateNames(io.Int.Input("value", optional=True), names=["x", "y"], min=0))],
                         outputs=[io.Int.Output()])

    @classmethod
    def execute(cls, values, named):
        told(values, named)
        return io.NodeOutput(sum(values.values()) + sum(named.values()))


@v3
class Resize(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Resize", inputs=[io.Int.Input("start"), io.DynamicCombo.Input("mode", options=[
            io.DynamicCombo.Option("by", [io.Int.Input("factor", default=2, min=1, max=8)]),
            io.DynamicCombo.Option("to", [io.Int.Input("width"), io.Int.Input("height", optional=True)]),
            io.DynamicCombo.Option("deep", [io.DynamicCombo.Input("kind", options=[io.DynamicCombo.Option("a", []), io.DynamicCombo.Option("b", [io.Int.Input("c")])])]),
            io.DynamicCombo.Option("many", [io.Autogrow.Input("rows", template=io.Autogrow.TemplatePrefix(io.Int.Input("row"), prefix="row", min=1, max=3))])])],
            outputs=[io.String.Output()])

    @classmethod
    def execute(cls, start, mode):
        told(start, mode)
        return io.NodeOutput(json.dumps(mode, sort_keys=True))


@v3
class Follow(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        kind = io.MatchType.Template("kind")
        return io.Schema(node_id="Follow", inputs=[io.Boolean.Input("yes"), io.MatchType.Input("on_no", template=kind, lazy=True), io.MatchType.Input("on_yes", template=kind, lazy=True)],
                         outputs=[io.MatchType.Output(template=kind, display_name="output")])

    @classmethod
    def check_lazy_status(cls, yes, on_no=None, on_yes=None):
        if yes and on_yes is None: return ["on_yes"]
        if not yes and on_no is None: return ["on_no"]

    @classmethod
    def execute(cls, yes, on_no, on_yes):
        told(yes, on_no, on_yes)
        return io.NodeOutput(on_yes if yes else on_no)


def n(class_type, **inputs): return {"class_type": class_type, "inputs": inputs}
def dotted(class_type, inputs): return {"class_type": class_type, "inputs": inputs}


def show(*sources): return {str(90 + i): n("Show", source=source) for i, source in enumerate(sources)}


chain = {"1": n("Num", value=1), "2": n("Num", value=2), "3": n("Add", a=["1", 0], b=["2", 0]), "4": n("Add", a=["3", 0], b=["2", 0]), "5": n("Num", value=5)}
cases = {
    "the order of a diamond": [{**chain, **show(["4", 0], ["3", 0], ["5", 0])}],
    "outputs first, then what they wait for": [{"8": n("Show", source=["4", 0]), **chain, "6": n("Add", a=["5", 0], b=["5", 0]), "7": n("Show", source=["6", 0]), "9": n("Show", source=["1", 0])}],
    "a list is mapped over": [{"1": n("Count", count=3), "2": n("Add", a=["1", 0], b=10), **show(["2", 0])}],
    "two lists, the shorter repeats its last": [{"1": n("Count", count=4), "2": n("Count", count=2), "3": n("Add", a=["1", 0], b=["2", 0]), **show(["3", 0], ["1", 1])}],
    "a list as a whole": [{"1": n("Count", count=3), "2": n("Collect", values=["1", 0], label="all"), **show(["2", 0], ["2", 1])}],
    "single values as lists": [{"1": n("Num", value=4), "2": n("Collect", values=["1", 0], label=["3", 1]), "3": n("Count", count=2), **show(["2", 0])}],
    "a list to a list": [{"1": n("Count", count=3), "2": n("Reverse", values=["1", 0]), "3": n("Add", a=["2", 0], b=["1", 0]), **show(["3", 0])}],
    "lists of lists join": [{"1": n("Count", count=4), "2": n("Count", count=["1", 0]), "3": n("Collect", values=["2", 0], label="joined"), **show(["3", 0], ["2", 1])}],
    "an empty list": [{"1": n("Count", count=0), "2": n("Add", a=["1", 0], b=1), "5": n("Num", value=5), **show(["5", 0], ["2", 0])}],
    "an empty list as a whole": [{"1": n("Count", count=0), "2": n("Collect", values=["1", 0], label="none"), **show(["2", 0])}],
    "lazy: none needed": [{"1": n("Num", value=1), "2": n("Num", value=2), "3": n("Lazy", first=["1", 0], second=["2", 0], which=0), **show(["3", 0])}],
    "lazy: the second": [{"1": n("Num", value=1), "2": n("Num", value=2), "3": n("Lazy", first=["1", 0], second=["2", 0], which=2), **show(["3", 0])}],
    "lazy: both": [{"1": n("Num", value=1), "2": n("Num", value=2), "3": n("Lazy", first=["1", 0], second=["2", 0], which=3), **show(["3", 0])}],
    "lazy: one that another needs anyway": [{"1": n("Num", value=1), "2": n("Num", value=2), "3": n("Lazy", first=["1", 0], second=["2", 0], which=2), **show(["1", 0], ["3", 0])}],
    "lazy: decided by a list": [{"0": n("Count", count=3), "1": n("Num", value=1), "2": n("Num", value=2), "3": n("Lazy", first=["1", 0], second=["2", 0], which=["0", 0]), **show(["3", 0])}],
    "lazy: a chain behind": [{**chain, "6": n("Lazy", first=["4", 0], second=["5", 0], which=["1", 0]), **show(["6", 0])}],
    "a switch that follows its type": [{"1": n("Num", value=1), "2": n("Count", count=2), "3": n("Follow", yes=True, on_no=["1", 0], on_yes=["2", 1]), **show(["3", 0])},
                                       {"1": n("Num", value=1), "2": n("Count", count=2), "3": n("Follow", yes=False, on_no=["1", 0], on_yes=["2", 1]), **show(["3", 0])}],
    "a blocker, in silence": [{"1": n("Gate", value=5, limit=3), "2": n("Add", a=["1", 0], b=1), "3": n("Add", a=["1", 1], b=1), **show(["2", 0], ["3", 0])}],
    "a blocker that says why": [{"1": n("Gate", value=5, limit=3, message="too much"), "2": n("Add", a=["1", 0], b=1), "3": n("Add", a=["1", 1], b=1), **show(["2", 0], ["3", 0], ["1", 0])}],
    "a blocker for some of a list": [{"0": n("Count", count=5), "1": n("Gate", value=["0", 0], limit=2, message="too much"), "2": n("Add", a=["1", 0], b=1), **show(["2", 0])}],
    "a blocker into a node that takes lists": [{"0": n("Count", count=5), "1": n("Gate", value=["0", 0], limit=2), "2": n("Collect", values=["1", 0], label="some"), **show(["2", 0])}],
    "a node that blocks all it gives": [{"1": n("Never", value=1), **show(["1", 0])}],
    "a graph in a node's place": [{"1": n("Num", value=3), "2": n("Repeat", value=["1", 0], times=2), **show(["2", 0], ["2", 1])}],
    "a graph for each of a list": [{"1": n("Count", count=3), "2": n("Repeat", value=["1", 0], times=1), **show(["2", 0])}],
    "graphs within graphs": [{"1": n("Num", value=3), "2": n("Outer", outer=["1", 0], inner=10), **show(["2", 0])}],
    "a loop": [{"1": n("Loop", value=10, times=3), **show(["1", 0])}],
    "a graph that gives a list": [{"1": n("Spread", count=2), **show(["1", 0], ["1", 1])}],
    "a graph with an output node of its own": [{"1": n("ShowInside", value=4), **show(["1", 0])}],
    "what a graph ran before is known": [{"1": n("Repeat", value=1, times=2), **show(["1", 0])}, {"1": n("Repeat", value=1, times=3), **show(["1", 0])}, {"1": n("Repeat", value=1, times=3), **show(["1", 0])}],
    "results are kept": [{**chain, **show(["4", 0])}, {**chain, **show(["4", 0])}, {**chain, "2": n("Num", value=3), **show(["4", 0])}],
    "nodes that do the same": [{"1": n("Num", value=1), "2": n("Num", value=1), "3": n("Add", a=["1", 0], b=["2", 0]), **show(["3", 0], ["1", 0], ["2", 0])}],
    "nodes that know their id": [{"1": n("Own", value=1), "2": n("Own", value=1), **show(["1", 0], ["2", 0])}, {"3": n("Own", value=1), "2": n("Own", value=1), **show(["3", 0], ["2", 0])}],
    "nodes that are each on their own": [{"1": n("Apart", value=1), "2": n("Apart", value=1), **show(["1", 0], ["2", 0])}],
    "what changes by itself": [{"1": n("Changing", value=0), "2": n("Changing", value=3), **show(["1", 0], ["2", 0])}] * 2,
    "hidden inputs": [{"1": n("Num", value="7"), "2": n("Look", value=["1", 0]), **show(["2", 0])}],
    "the link itself": [{"1": n("Num", value=1), "2": n("Raw", value=["1", 0]), **show(["2", 0])}],
    "a failure ends the run": [{"1": n("Num", value=1), "2": n("Fail", value=["1", 0]), "3": n("Num", value=3), **show(["3", 0], ["2", 0], ["1", 0])}, {"1": n("Num", value=1), "3": n("Num", value=3), **show(["3", 0], ["1", 0])}],
    "a failure in a graph": [{"1": n("Num", value=1), "2": n("Repeat", value=["1", 0], times="1"), "3": n("Fail", value=["2", 0]), **show(["3", 0])}],
    "a faulty output beside a sound one": [{"1": n("Num", value=5000), "2": n("Num", value=2), **show(["1", 0], ["2", 0])}],
    "a check of the class's own": [{"1": n("Careful", value=9), "2": n("Careful", value=3), "3": n("Careful", value=["2", 0]), "4": n("Careful", value=9, other=10), **show(["1", 0], ["2", 0], ["3", 0], ["4", 0])}],
    "inputs that grow in number": [{"1": n("Num", value=1), "2": dotted("Sum", {"values.n0": ["1", 0], "values.n2": 5}), "3": dotted("Sum", {"values.n0": 2, "named.y": ["1", 0]}), **show(["2", 0], ["3", 0])}],
    "inputs that grow, one short": [{"1": n("Num", value=1), "2": dotted("Sum", {"values.n1": ["1", 0]}), **show(["2", 0], ["1", 0])}],
    "inputs that grow, over a list": [{"1": n("Count", count=3), "2": dotted("Sum", {"values.n0": ["1", 0], "values.n1": 5}), **show(["2", 0])}],
    "inputs of an option": [{"1": n("Num", value=1), "2": dotted("Resize", {"start": 1, "mode": "by", "mode.factor": 3}), "3": dotted("Resize", {"start": 1, "mode": "to", "mode.width": ["1", 0]}),
                             "4": dotted("Resize", {"start": 1, "mode": "deep", "mode.kind": "b", "mode.kind.c": 4}), "5": dotted("Resize", {"start": 1, "mode": "many", "mode.rows.row0": 1, "mode.rows.row2": ["1", 0]}),
                             **show(["2", 0], ["3", 0], ["4", 0], ["5", 0])}],
    "inputs of an option, out of bounds or missing": [{"1": n("Num", value=1), "2": dotted("Resize", {"start": 1, "mode": "by", "mode.factor": 30}), "3": dotted("Resize", {"start": 1, "mode": "to"}), **show(["2", 0], ["3", 0], ["1", 0])}],
}


class Server:
    client_id, last_node_id = "client", None
    def __init__(self): self.messages = []
    def send_sync(self, event, data, sid=None): self.messages.append((event, data))
    def queue_updated(self): pass


def run(executor, server, prompt):
    log.clear()
    server.messages.clear()
    prompt = json.loads(json.dumps(prompt))
    valid, error, good, node_errors = asyncio.run(execution.validate_prompt("id", prompt, None))
    faults = {node: sorted([e["type"], e["details"]] for e in found["errors"]) for node, found in node_errors.items()}
    if not valid: return {"valid": False, "faults": faults}
    executor.execute(prompt, "id", {"client_id": "client", "extra_pnginfo": {"workflow": {"nodes": []}}}, [node for node in prompt if node in good])
    of = lambda kind: [data for event, data in server.messages if event == kind]
    # A node that was put off is told of again when its turn comes.
    executing = list(dict.fromkeys((data["node"], data["display_node"]) for data in of("executing")))
    errors = [{"node": e["node_id"], "class": e["node_type"], "type": e["exception_type"], "message": e["exception_message"].strip()} for e in of("execution_error")]
    return {
        "valid": True, "faults": faults, "log": [list(line) for line in log], "executing": [list(pair) for pair in executing],
        "cached": sorted(of("execution_cached")[0]["nodes"]), "success": len(of("execution_success")) == 1, "errors": errors,
        "outputs": executor.history_result["outputs"],
    }


def case(prompts):
    # The cache that ComfyUI has by default, with memory enough.
    server = Server()
    executor = execution.PromptExecutor(server, cache_type=execution.CacheType.RAM_PRESSURE, cache_args={"ram": 0, "ram_inactive": 0, "lru": 0})
    return [{"prompt": json.loads(json.dumps(prompt)), **run(executor, server, prompt)} for prompt in prompts]


out = {name: case(prompts) for name, prompts in cases.items()}
with open(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/workflow/execution.json", "w") as f:
    json.dump(out, f, indent=1, default=str)
    f.write("\n")
