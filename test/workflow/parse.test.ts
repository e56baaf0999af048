import { describe, expect, it } from 'vitest';
import { WorkflowError } from '../../src/workflow/faults.js';
import { toJson } from '../../src/workflow/literal.js';
import { parseWorkflow, workflowFromObject } from '../../src/workflow/parse.js';

function refusalOf(read: () => unknown): WorkflowError {
  try {
    read();
  } catch (error) {
    if (error instanceof WorkflowError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const errorOf = (text: string) => refusalOf(() => parseWorkflow(text)).report.error;

describe('parseWorkflow', () => {
  it('reads nodes with their titles, and integers with all their digits', () => {
    const { nodes, extraData } = parseWorkflow(`{
      "3": {"class_type": "KSampler", "_meta": {"title": "Draw"},
            "inputs": {"seed": 18446744073709551615, "cfg": 7.0, "steps": 20, "denoise": 1e0, "model": ["4", 0], "name": "ünï"}},
      "4": {"class_type": "CheckpointLoaderSimple", "inputs": {}}
    }`);
    const node = nodes.get('3')!;
    expect([node.id, node.classType, node.title]).toEqual(['3', 'KSampler', 'Draw']);
    expect(Object.fromEntries(node.inputs)).toEqual({
      seed: 18446744073709551615n,
      cfg: 7,
      steps: 20n,
      denoise: 1,
      model: ['4', 0n],
      name: 'ünï',
    });
    expect(nodes.get('4')!.title).toBeUndefined();
    expect([...extraData]).toEqual([]);
  });

  it('takes the body of a /prompt request', () => {
    const { nodes, extraData } = parseWorkflow(
      `{"client_id": "x", "prompt": {"1": {"class_type": "A", "inputs": {}}}, "extra_data": {"extra_pnginfo": {"workflow": {"nodes": []}}}}`,
    );
    expect([...nodes.keys()]).toEqual(['1']);
    expect(toJson(extraData)).toEqual({ extra_pnginfo: { workflow: { nodes: [] } } });
  });

  it('takes a node whose id is "prompt" for a node', () => {
    expect([...parseWorkflow(`{"prompt": {"class_type": "A", "inputs": {}}}`).nodes.keys()]).toEqual([
      'prompt',
    ]);
  });

  it('takes ids that mean something to JavaScript', () => {
    const { nodes } = parseWorkflow(
      `{"__proto__": {"class_type": "A", "inputs": {"__proto__": 1, "constructor": 2}}, "constructor": {"class_type": "B", "inputs": {}}}`,
    );
    expect([...nodes.keys()].sort()).toEqual(['__proto__', 'constructor']);
    expect([...nodes.get('__proto__')!.inputs]).toEqual([
      ['__proto__', 1n],
      ['constructor', 2n],
    ]);
  });

  it('lets the last of two equal keys count, as Python does, and skips a byte order mark', () => {
    const { nodes } = parseWorkflow(
      `\ufeff{"1": {"class_type": "A", "inputs": {}}, "1": {"class_type": "B", "inputs": {}}}`,
    );
    expect(nodes.get('1')!.classType).toBe('B');
  });

  it.each([
    ['', 'line 1, column 1: JSON value expected but reached end of input'],
    [
      '{\n  "1": {"class_type": "A",\n   "inputs": {]\n}',
      `line 3, column 15: Quoted object key expected but got ']'`,
    ],
    ['{"1": {"class_type": \'A\'}}', `line 1, column 22: Object value expected after ':' but got '''`],
    ['{} {}', `line 1, column 4: Expected end of input but got '{'`],
  ])('says where %j stops being JSON', (text, details) => {
    expect(errorOf(text)).toEqual({ type: 'invalid_json', message: 'Not JSON', details, extra_info: {} });
  });

  it.each([
    ['[]', 'expected an object of nodes by id, got a list'],
    ['"x"', 'expected an object of nodes by id, got text'],
    ['12', 'expected an object of nodes by id, got a number'],
    ['null', 'expected an object of nodes by id, got null'],
    ['true', 'expected an object of nodes by id, got a boolean'],
    ['{"prompt": {}, "extra_data": 3}', '"extra_data" is a number, expected an object'],
  ])('refuses %s', (text, details) => {
    expect(errorOf(text)).toMatchObject({ type: 'invalid_prompt', details });
  });

  it('refuses a body without a prompt, as ComfyUI does', () => {
    expect(errorOf('{"prompt": null}')).toMatchObject({ type: 'no_prompt', message: 'No prompt provided' });
  });

  it.each([
    '{"last_node_id": 9, "nodes": [{"id": 3, "type": "KSampler"}], "links": [], "version": 0.4}',
    '{"prompt": {"nodes": [], "links": []}}',
  ])("says how to export what is in the editor's format", (text) => {
    const error = refusalOf(() => parseWorkflow(text));
    expect(error.report.error.type).toBe('editor_format');
    expect(error.message).toContain('Export (API)');
  });

  it('reports every node of the wrong shape at once', () => {
    const { report, message } = refusalOf(() =>
      parseWorkflow(
        `{"1": {"inputs": {}}, "2": 5, "3": {"class_type": "A"}, "4": {"class_type": 7, "inputs": []}, "5": {"class_type": "A", "inputs": {}}}`,
      ),
    );
    expect(report.error).toMatchObject({
      type: 'invalid_prompt',
      message: 'Cannot execute because a node is missing the class_type property.',
      details: "Node ID '#1'",
    });
    expect(Object.keys(report.node_errors)).toEqual(['1', '2', '3', '4']);
    expect(report.node_errors['3']).toMatchObject({
      class_type: 'A',
      errors: [{ message: "A node's inputs are missing, expected an object" }],
    });
    expect(report.node_errors['4']?.errors.map((fault) => fault.message)).toEqual([
      "A node's class_type is a number, expected text",
      "A node's inputs are a list, expected an object",
    ]);
    expect(message).toContain('node 2: Node is a number, expected an object');
  });

  it.each([1000, 1_000_000])('survives %i levels of nesting', (depth) => {
    expect(errorOf('['.repeat(depth))).toMatchObject({ type: expect.stringMatching(/^invalid_/) as string });
    const closed = `{"1": {"class_type": "A", "inputs": {"a": ${'['.repeat(depth)}${']'.repeat(depth)}}}}`;
    expect(errorOf(closed)).toMatchObject({
      type: 'invalid_prompt',
      details: 'nested more than 200 levels deep',
    });
  });
});

describe('workflowFromObject', () => {
  it('takes whole numbers for integers, fractions for floats, bigints for seeds', () => {
    const { nodes } = workflowFromObject({
      1: {
        class_type: 'A',
        inputs: { steps: 20, cfg: 7.5, seed: 2n ** 64n - 1n, link: ['2', 0], gone: undefined },
      },
    });
    expect(Object.fromEntries(nodes.get('1')!.inputs)).toEqual({
      steps: 20n,
      cfg: 7.5,
      seed: 18446744073709551615n,
      link: ['2', 0n],
    });
  });

  it('refuses what JSON lacks, and objects that contain themselves', () => {
    const error = refusalOf(() => workflowFromObject({ 1: { class_type: 'A', inputs: { run: () => 1 } } }));
    expect(error.report.error.details).toBe('/1/inputs/run is a function, which JSON has not');
    const loop: Record<string, unknown> = { class_type: 'A' };
    loop['inputs'] = loop;
    expect(refusalOf(() => workflowFromObject({ 1: loop })).report.error.details).toBe(
      'nested more than 200 levels deep',
    );
  });
});

it('reads so many values and no more, however short they are', () => {
  const text = (count: number) =>
    `{"1": {"class_type": "A", "inputs": {"list": [${Array.from({ length: count }, () => '1').join()}]}}}`;
  // The five around the list, and those in it.
  expect(parseWorkflow(text(95), { maxValues: 100 }).nodes.size).toBe(1);
  expect(() => parseWorkflow(text(96), { maxValues: 100 })).toThrow('more than 100 values');
  expect(() => parseWorkflow(text(1_000_000))).toThrow('more than 1000000 values');
});
