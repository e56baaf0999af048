/** From JSON text to a workflow's nodes. Knows the format and nothing about node classes. */
import { parse as parseLossless } from 'lossless-json';
import { FaultList, WorkflowError, type Fault } from './faults.js';
import { isLiteralObject, type Literal, type LiteralObject } from './literal.js';

export interface WorkflowNode {
  readonly id: string;
  readonly classType: string;
  /** As written: a literal, or `[node id, output slot]`. */
  readonly inputs: ReadonlyMap<string, Literal>;
  /** What the user called the node in ComfyUI's editor. */
  readonly title?: string;
  /** The node as the file has it, with fields that only editors use. */
  readonly source: LiteralObject;
}

export interface Workflow {
  /** By id. */
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  /** `extra_data` of a /prompt body; its `extra_pnginfo` goes into saved images. */
  readonly extraData: LiteralObject;
}

/**
 * Reads a workflow in ComfyUI's API format (`{"3": {"class_type": …, "inputs": {…}}, …}`), or the body of a /prompt request
 * around one (`{"prompt": {…}, "extra_data": {…}}`). Integers keep all their digits. Throws `WorkflowError` for text that
 * isn't JSON (naming line and column), for the editor's own format, and for nodes of the wrong shape, all of them at once.
 */
export function parseWorkflow(text: string): Workflow {
  return workflowFromLiteral(parseLiteral(text));
}

/**
 * A workflow from a JavaScript value of the same form, as a library's caller builds it. Whole numbers count as integers;
 * seeds beyond 2⁵³ are given as bigints. Throws `WorkflowError` as `parseWorkflow` does, and for values that JSON lacks.
 */
export function workflowFromObject(value: unknown): Workflow {
  return workflowFromLiteral(literalFrom(value, '', 0));
}

/** Far beyond any workflow, far below what recursion over one could overflow. */
const maxDepth = 200;

function parseLiteral(text: string): Literal {
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  let value: Literal;
  try {
    value = parseLossless(json, null, {
      parseNumber: (digits) => (/^-?\d+$/.test(digits) ? BigInt(digits) : Number(digits)),
      // As Python's json does: the last one counts.
      onDuplicateKey: ({ newValue }) => newValue,
    }) as Literal;
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep();
    if (!(error instanceof SyntaxError)) throw error;
    throw refusal('invalid_json', 'Not JSON', located(error.message, json));
  }
  if (deeperThan(maxDepth, value)) throw tooDeep();
  return value;
}

function deeperThan(depth: number, value: Literal): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((item: Literal) => deeperThan(depth - 1, item));
}

function tooDeep(): WorkflowError {
  return refusal('invalid_prompt', 'Not a workflow', `nested more than ${maxDepth} levels deep`);
}

/** `… at position 17` as `line 2, column 5: …`, both counted from 1. */
function located(message: string, text: string): string {
  const match = /^(.*?) at position (\d+)$/s.exec(message);
  if (match === null) return message;
  const before = text.slice(0, Number(match[2]));
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  return `line ${line}, column ${column}: ${match[1]!}`;
}

function literalFrom(value: unknown, path: string, depth: number): Literal {
  if (depth > maxDepth) throw tooDeep();
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value))
        return value.map((item, index) => literalFrom(item, `${path}/${index}`, depth + 1));
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key, literalFrom(item, `${path}/${key}`, depth + 1)]),
      );
    default:
      throw refusal(
        'invalid_prompt',
        'Not a workflow',
        `${path || '/'} is a ${typeof value}, which JSON has not`,
      );
  }
}

function workflowFromLiteral(value: Literal): Workflow {
  if (!isLiteralObject(value)) {
    throw refusal(
      'invalid_prompt',
      'Not a workflow',
      `expected an object of nodes by id, got ${kindOf(value)}`,
    );
  }
  if (!Object.hasOwn(value, 'prompt') || isNodeLike(value['prompt'])) {
    return { nodes: readNodes(value), extraData: {} };
  }
  const prompt = value['prompt'];
  if (!isLiteralObject(prompt)) {
    throw refusal(
      'no_prompt',
      'No prompt provided',
      `"prompt" is ${kindOf(prompt)}, expected an object of nodes by id`,
    );
  }
  const extraData = value['extra_data'] ?? {};
  if (!isLiteralObject(extraData)) {
    throw refusal(
      'invalid_prompt',
      'Not a workflow',
      `"extra_data" is ${kindOf(extraData)}, expected an object`,
    );
  }
  return { nodes: readNodes(prompt), extraData };
}

function isNodeLike(value: Literal | undefined): boolean {
  return isLiteralObject(value) && Object.hasOwn(value, 'class_type');
}

function readNodes(value: LiteralObject): ReadonlyMap<string, WorkflowNode> {
  if (Array.isArray(value['nodes'])) {
    throw refusal(
      'editor_format',
      "This is a workflow in ComfyUI's editor format, which can't be run",
      'export it in the API format: in ComfyUI, menu Workflow → Export (API); in older versions, ' +
        'Settings → Enable Dev mode options, then Save (API Format)',
    );
  }
  const nodes = new Map<string, WorkflowNode>();
  const faults = new FaultList();
  for (const [id, node] of Object.entries(value)) {
    const read = readNode(id, node, faults);
    if (read !== undefined) nodes.set(id, read);
  }
  if (!faults.isEmpty) throw new WorkflowError(faults.report(([first]) => first!.fault));
  return nodes;
}

/** Undefined for what is no node, of which the faults are added. */
function readNode(id: string, node: Literal, faults: FaultList): WorkflowNode | undefined {
  if (!isLiteralObject(node)) {
    faults.add(id, '', () => shapeFault(`Node is ${kindOf(node)}, expected an object`, id));
    return undefined;
  }
  const { class_type: classType, inputs, _meta: meta } = node;
  const knownClass = typeof classType === 'string' ? classType : '';
  if (classType === undefined) {
    faults.add(id, '', () =>
      shapeFault('Cannot execute because a node is missing the class_type property.', id),
    );
  } else if (typeof classType !== 'string') {
    faults.add(id, '', () => shapeFault(`A node's class_type is ${kindOf(classType)}, expected text`, id));
  }
  if (!isLiteralObject(inputs)) {
    const got = inputs === undefined ? 'missing' : kindOf(inputs);
    faults.add(id, knownClass, () => shapeFault(`A node's inputs are ${got}, expected an object`, id));
  }
  if (typeof classType !== 'string' || !isLiteralObject(inputs)) return undefined;
  const title = isLiteralObject(meta) ? meta['title'] : undefined;
  return {
    id,
    classType,
    inputs: new Map(Object.entries(inputs)),
    source: node,
    ...(typeof title === 'string' && { title }),
  };
}

function shapeFault(message: string, id: string): Fault {
  return { type: 'invalid_prompt', message, details: `Node ID '#${id}'`, extra_info: { node_id: id } };
}

function refusal(type: string, message: string, details: string): WorkflowError {
  return new WorkflowError({ error: { type, message, details, extra_info: {} }, node_errors: {} });
}

function kindOf(value: Literal | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'object':
      return 'an object';
    case 'string':
      return 'text';
    case 'boolean':
      return 'a boolean';
    default:
      return 'a number';
  }
}
