import { nearestHint } from '../nearest-names.js';
import type { Literal } from '../workflow/literal.js';
import type { Workflow, WorkflowNode } from '../workflow/parse.js';

/** A change to a workflow that its nodes don't allow; the message says which and what is there instead. */
export class EditError extends Error {
  override readonly name = 'EditError';
}

/** The same workflow with each input mapped; links are inputs too. Nodes whose inputs all stay the same stay the same. */
export function mapInputs(
  workflow: Workflow,
  change: (value: Literal, input: string, node: WorkflowNode) => Literal,
): Workflow {
  const nodes = [...workflow.nodes].map(([id, node]): [string, WorkflowNode] => {
    const inputs = [...node.inputs].map(([name, value]): [string, Literal] => [
      name,
      change(value, name, node),
    ]);
    if (inputs.every(([name, value]) => value === node.inputs.get(name))) return [id, node];
    return [id, withInputs(node, inputs)];
  });
  return { ...workflow, nodes: new Map(nodes) };
}

/** The same workflow with one input of one node set, an input that the node has. Throws `EditError` otherwise. */
export function setInput(workflow: Workflow, id: string, input: string, value: Literal): Workflow {
  const node = workflow.nodes.get(id);
  if (node === undefined) {
    throw new EditError(`there is no node ${id}${nearestHint(id, workflow.nodes.keys())}`);
  }
  if (!node.inputs.has(input)) {
    const names = [...node.inputs.keys()];
    throw new EditError(
      `node ${id} (${node.classType}) has no input ${JSON.stringify(input)}; it has ${names.join(', ')}`,
    );
  }
  const inputs = [...node.inputs].map(([name, given]): [string, Literal] => [
    name,
    name === input ? value : given,
  ]);
  return { ...workflow, nodes: new Map(workflow.nodes).set(id, withInputs(node, inputs)) };
}

/** The id of the node that a person means: an id itself, or a title that one node alone has. Throws `EditError`. */
export function findNode(workflow: Workflow, name: string): string {
  if (workflow.nodes.has(name)) return name;
  const titled = [...workflow.nodes.values()].filter((node) => node.title === name);
  if (titled.length === 1) return titled[0]!.id;
  if (titled.length > 1) {
    const ids = titled.map((node) => node.id).join(', ');
    throw new EditError(`several nodes are titled ${JSON.stringify(name)}: ${ids}; name one by its id`);
  }
  const titles = [...workflow.nodes.values()].flatMap((node) => node.title ?? []);
  throw new EditError(
    `no node has the id or the title ${JSON.stringify(name)}${nearestHint(name, [...workflow.nodes.keys(), ...titles])}`,
  );
}

function withInputs(node: WorkflowNode, inputs: readonly (readonly [string, Literal])[]): WorkflowNode {
  // Saved pictures carry `source`, so it must say what ran.
  return { ...node, inputs: new Map(inputs), source: new Map(node.source).set('inputs', new Map(inputs)) };
}
