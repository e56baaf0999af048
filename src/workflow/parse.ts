/** From JSON text to a workflow's nodes. Knows the format and nothing about node classes. */
import { shorten } from '../safe-text.js';
import { FaultList, WorkflowError, type Fault } from './faults.js';
import { JsonDepthError, JsonError, JsonSizeError, parseJson } from '../python/json.js';
import { isLiteralObject, pythonJson, type Literal, type LiteralObject } from './literal.js';

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
  /** Ids of the output nodes to run, of a /prompt body with `partial_execution_targets`; all when left out. */
  readonly targets?: readonly string[];
}

/** Makes nodes by id of the editor's form of a workflow, which takes knowledge of node classes (`editor/`). */
export type FromEditor = (workflow: LiteralObject) => LiteralObject;

/**
 * Reads a workflow in ComfyUI's API format (`{"3": {"class_type": …, "inputs": {…}}, …}`), or the body of a /prompt request
 * around one (`{"prompt": {…}, "extra_data": {…}}`). Integers keep all their digits. With `fromEditor`, it may be in the editor's
 * own format, and goes into pictures beside the other as ComfyUI has it. Throws `WorkflowError` for text that isn't JSON
 * (naming line and column), for more than `maxValues` values (a workflow of a thousand nodes has some 25,000), for the editor's
 * format otherwise, and for nodes of the wrong shape, all of them at once.
 */
export function parseWorkflow(
  text: string,
  { maxValues = MAX_VALUES, fromEditor }: { maxValues?: number; fromEditor?: FromEditor } = {},
): Workflow {
  return workflowFromLiteral(parseLiteral(text, maxValues), fromEditor);
}

/** The JSON text of a workflow that is a JavaScript value, in whatever form. Throws `WorkflowError` for what JSON lacks. */
export function objectText(value: unknown): string {
  return pythonJson(literalFrom(value, '', 0));
}

/** About a second's work. */
const MAX_VALUES = 1_000_000;

/**
 * A workflow from a JavaScript value of the same form, as a library's caller builds it. Whole numbers count as integers;
 * seeds beyond 2⁵³ are given as bigints. A Map keeps keys like "12" in their order. Throws `WorkflowError` as `parseWorkflow` does, and for values that JSON lacks.
 */
export function workflowFromObject(value: unknown, fromEditor?: FromEditor): Workflow {
  return workflowFromLiteral(literalFrom(value, '', 0), fromEditor);
}

/** Far beyond any workflow, far below what recursion over one could overflow. */
const maxDepth = 200;

function parseLiteral(text: string, maxValues: number): Literal {
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  try {
    return parseJson(json, maxDepth, maxValues);
  } catch (error) {
    if (error instanceof JsonDepthError) throw tooDeep();
    if (error instanceof JsonSizeError)
      throw refusal('invalid_prompt', 'Not a workflow', `more than ${maxValues} values`);
    if (!(error instanceof JsonError)) throw error;
    throw refusal('invalid_json', 'Not JSON', located(error, json));
  }
}

function tooDeep(): WorkflowError {
  return refusal('invalid_prompt', 'Not a workflow', `nested more than ${maxDepth} levels deep`);
}

/** `line 2, column 5: …`, both counted from 1. */
function located({ message, position }: JsonError, text: string): string {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  return `line ${line}, column ${column}: ${message}`;
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
      if (value instanceof Map || isPlain(value)) return literalEntries(value, path, depth);
      throw notJson(path, 'an object that is not plain data');
    default:
      throw notJson(path, `a ${typeof value}`);
  }
}

function literalEntries(value: object, path: string, depth: number): LiteralObject {
  const entries = new Map<string, Literal>();
  for (const [key, item] of value instanceof Map
    ? (value as ReadonlyMap<unknown, unknown>)
    : Object.entries(value)) {
    if (typeof key !== 'string') throw notJson(path, `an object with a key that is a ${typeof key}`);
    if (item !== undefined) entries.set(key, literalFrom(item, `${path}/${key}`, depth + 1));
  }
  return entries;
}

/** Not bytes, dates or anything else of a class: a megabyte of bytes would become a million entries. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notJson(path: string, found: string): WorkflowError {
  return refusal(
    'invalid_prompt',
    'Not a workflow',
    `${shorten(path) || '/'} is ${found}, which JSON has not`,
  );
}

/** The editor's form of a workflow, alone or as the prompt of a request. */
function editorForm(value: Literal): LiteralObject | undefined {
  if (!isLiteralObject(value)) return undefined;
  const prompt = value.get('prompt');
  if (isLiteralObject(prompt) && Array.isArray(prompt.get('nodes'))) return prompt;
  return Array.isArray(value.get('nodes')) ? value : undefined;
}

function workflowFromLiteral(given: Literal, fromEditor: FromEditor | undefined): Workflow {
  const editor = fromEditor && editorForm(given);
  const value = editor === undefined ? given : asRequest(given as LiteralObject, editor, fromEditor!(editor));
  if (!isLiteralObject(value)) {
    throw refusal(
      'invalid_prompt',
      'Not a workflow',
      `expected an object of nodes by id, got ${kindOf(value)}`,
    );
  }
  if (!value.has('prompt') || isNodeLike(value.get('prompt'))) {
    return { nodes: readNodes(value), extraData: new Map() };
  }
  const prompt = value.get('prompt');
  if (!isLiteralObject(prompt)) {
    throw refusal(
      'no_prompt',
      'No prompt provided',
      `"prompt" is ${kindOf(prompt)}, expected an object of nodes by id`,
    );
  }
  const extraData = value.get('extra_data') ?? new Map();
  if (!isLiteralObject(extraData)) {
    throw refusal(
      'invalid_prompt',
      'Not a workflow',
      `"extra_data" is ${kindOf(extraData)}, expected an object`,
    );
  }
  const targets = readTargets(value.get('partial_execution_targets'));
  return { nodes: readNodes(prompt), extraData, ...(targets && { targets }) };
}

/** What ComfyUI's editor sends when it queues a workflow. */
function asRequest(given: LiteralObject, editor: LiteralObject, prompt: LiteralObject): LiteralObject {
  const request = given === editor ? new Map<string, Literal>() : given;
  const data = request.get('extra_data');
  const extra = isLiteralObject(data) ? data : new Map<string, Literal>();
  const texts = extra.get('extra_pnginfo');
  const withEditor = new Map(isLiteralObject(texts) ? texts : []).set('workflow', editor);
  return new Map(request)
    .set('prompt', prompt)
    .set('extra_data', new Map(extra).set('extra_pnginfo', withEditor));
}

function readTargets(value: Literal | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const ids = Array.isArray(value) ? (value as readonly Literal[]) : [];
  if (Array.isArray(value) && ids.every((id) => typeof id === 'string')) return ids;
  throw refusal(
    'invalid_prompt',
    'Not a workflow',
    `"partial_execution_targets" is ${kindOf(value)}, expected a list of node ids`,
  );
}

function isNodeLike(value: Literal | undefined): boolean {
  return isLiteralObject(value) && value.has('class_type');
}

function readNodes(value: LiteralObject): ReadonlyMap<string, WorkflowNode> {
  if (Array.isArray(value.get('nodes'))) {
    throw refusal(
      'editor_format',
      "This is a workflow in ComfyUI's editor format, which isn't taken here",
      '`latentd convert` makes the API format of it; so does ComfyUI, menu Workflow → Export (API)',
    );
  }
  const nodes = new Map<string, WorkflowNode>();
  const faults = new FaultList();
  for (const [id, node] of value) {
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
  const [classType, inputs, meta] = ['class_type', 'inputs', '_meta'].map((key) => node.get(key));
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
  const title = isLiteralObject(meta) ? meta.get('title') : undefined;
  return {
    id,
    classType,
    inputs,
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
