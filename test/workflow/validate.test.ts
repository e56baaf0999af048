import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { combo } from '../../src/nodes/definition.js';
import { createFolders } from '../../src/models/folders/folders.js';
import type { Fault, FaultReport } from '../../src/workflow/faults.js';
import { describeReport } from '../../src/workflow/faults.js';
import {
  literalObject,
  pythonJson,
  toJson,
  type Literal,
  type LiteralObject,
} from '../../src/workflow/literal.js';
import { workflowMetadata } from '../../src/workflow/metadata.js';
import { parseWorkflow, workflowFromObject } from '../../src/workflow/parse.js';
import { validateWorkflow, type Validation } from '../../src/workflow/validate.js';
import { referenceNodes } from './reference-nodes.js';
import { reference, type ValidationCase } from './validation-fixture.js';

const folders = createFolders({ models: tmpdir(), input: tmpdir(), output: tmpdir(), temp: tmpdir() });

function validate(prompt: unknown) {
  return validateWorkflow(workflowFromObject(prompt), referenceNodes, folders);
}

/** Through JSON text, where `7.0` and `7` differ. */
function validateText(prompt: Literal) {
  return validateWorkflow(parseWorkflow(pythonJson(prompt)), referenceNodes, folders);
}

function reportOf(prompt: unknown): FaultReport {
  const validation = validate(prompt);
  if (validation.report === undefined) throw new Error('the workflow is sound');
  return validation.report;
}

function nameOf(fault: Fault): string {
  const { input_name: name } = fault.extra_info;
  return typeof name === 'string' ? name : '';
}

const paint = (inputs: object = {}) => ({
  class_type: 'Paint',
  inputs: { shade: 1, mode: 'fast', smooth: true, caption: '', ...inputs },
});
const save = (from: string) => ({ class_type: 'Save', inputs: { images: [from, 0] } });

/** Whether a workflow is answered as ComfyUI answers it. */
function expectAnswer(validation: Validation, expected: ValidationCase): void {
  expect(validation.valid).toBe(expected.valid);
  expect(validation.valid ? [...validation.plan.outputs].sort() : []).toEqual(expected.outputs);
  const { error, node_errors: nodes = {} } = validation.report ?? {};
  if (expected.error !== null) expect(error).toMatchObject(toJson(errorOf(expected) as Literal) as object);
  // ComfyUI stops at the first unknown class.
  if (expected.error?.type === 'missing_node_type') return;
  expect(Object.keys(nodes)).toEqual(Object.keys(expected.node_errors));
  for (const [id, wanted] of Object.entries(expected.node_errors)) {
    const got = nodes[id]!;
    expect(got.class_type).toBe(wanted.class_type);
    expect(got.dependent_outputs).toEqual(wanted.dependent_outputs);
    const byName = [...got.errors].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    expect(byName.map(({ type, message }) => [type, message])).toEqual(
      wanted.errors.map(({ type, message }) => [type, message]),
    );
    wanted.errors.forEach((fault, index) => {
      // Nearest names may follow.
      expect(byName[index]!.details.startsWith(fault.details)).toBe(true);
      expect(byName[index]!.extra_info).toMatchObject(toJson(fault.extra_info as Literal) as object);
    });
  }
}

/** Details are ours: they name every fault. */
function errorOf({ error }: ValidationCase): LiteralObject {
  const { type, message, extra_info } = error!;
  return literalObject({ type, message, extra_info });
}

describe('ComfyUI answers', () => {
  it.each(reference.cases)('$name', (expected) => {
    expectAnswer(validateText(expected.prompt), expected);
  });

  it.each(reference.targets)('of which is asked for: $name', (expected) => {
    const { prompt, targets } = expected;
    expectAnswer(validateText(literalObject({ prompt, partial_execution_targets: targets })), expected);
  });
});

describe('faults that ComfyUI dies of', () => {
  it('names the nearest classes of an unknown one, with every other fault', () => {
    const report = reportOf({
      1: { class_type: 'Pain', inputs: { under: ['2', 0] } },
      2: paint({ shade: 11 }),
      9: save('1'),
    });
    expect(report.error.type).toBe('missing_node_type');
    expect(report.node_errors['1']).toMatchObject({
      class_type: 'Pain',
      dependent_outputs: ['9'],
      errors: [{ details: `Node ID '#1'; nearest: "Paint"`, extra_info: { class_type: 'Pain' } }],
    });
    expect(report.node_errors['2']?.errors[0]?.type).toBe('value_bigger_than_max');
    expect(Object.keys(report.node_errors)).toEqual(['1', '2']);
  });

  it('reports an unknown class that no output needs, as ComfyUI does', () => {
    expect(reportOf({ 1: paint(), 2: { class_type: 'Note', inputs: {} }, 9: save('1') }).error).toMatchObject(
      {
        type: 'missing_node_type',
        details: expect.stringContaining("Node ID '#2'") as string,
      },
    );
  });

  it('names a node that is missing', () => {
    expect(reportOf({ 9: save('1') }).node_errors['9']?.errors).toMatchObject([
      { type: 'bad_linked_input', message: "Bad linked input, there is no node '1'", details: 'images' },
    ]);
  });

  it.each([2, -1, 1e6])('names the outputs there are for slot %d', (slot) => {
    const bad = { class_type: 'Save', inputs: { images: ['1', slot] } };
    expect(reportOf({ 1: paint(), 9: bad }).node_errors['9']?.errors).toMatchObject([
      {
        type: 'bad_linked_input',
        message: `Bad linked input, node '1' (Paint) has no output ${slot}`,
        details: 'images, its outputs: 0 IMAGE, 1 MASK',
      },
    ]);
  });

  it.each([[[1, 0]], [['1', 0.5]], [['1', '0']], [[null, null]]])('refuses %j as a link', (given) => {
    const bad = { class_type: 'Save', inputs: { images: given } };
    expect(reportOf({ 1: paint(), 9: bad }).node_errors['9']?.errors[0]?.type).toBe('bad_linked_input');
  });

  it('refuses a literal where only a link can be', () => {
    const report = reportOf({ 9: { class_type: 'Save', inputs: { images: 'a.png' } } });
    expect(report.node_errors['9']?.errors).toMatchObject([
      {
        type: 'invalid_input_type',
        message: 'Failed to convert an input value to a IMAGE value',
        details: 'images, a.png, only a link to an output of type IMAGE can give it',
      },
    ]);
  });

  it('names the way round a cycle', () => {
    const report = reportOf({
      1: paint({ under: ['3', 0] }),
      2: paint({ under: ['1', 0] }),
      3: paint({ under: ['2', 0] }),
      9: save('3'),
    });
    expect(Object.keys(report.node_errors)).toEqual(['1', '2', '3']);
    expect(report.node_errors['1']).toMatchObject({
      errors: [
        {
          type: 'dependency_cycle',
          details: '3 (Paint) -> 2 (Paint) -> 1 (Paint) -> 3 (Paint)',
          extra_info: { node_id: '1', cycle_nodes: ['3', '2', '1'] },
        },
      ],
      dependent_outputs: ['9'],
    });
  });

  it('finds a node that feeds itself, and two cycles at once', () => {
    const report = reportOf({
      1: paint({ under: ['1', 0] }),
      2: paint({ under: ['3', 0] }),
      3: paint({ under: ['2', 0] }),
      8: save('1'),
      9: save('2'),
    });
    expect(report.node_errors['1']?.errors[0]?.details).toBe('1 (Paint) -> 1 (Paint)');
    expect(report.node_errors['3']?.errors[0]?.details).toBe('2 (Paint) -> 3 (Paint) -> 2 (Paint)');
  });

  it('tells which outputs a fault keeps from running, and no others', () => {
    const report = reportOf({
      1: paint({ shade: -1 }),
      2: paint({ under: ['1', 0] }),
      3: paint(),
      7: save('1'),
      8: save('2'),
      9: save('3'),
    });
    expect(report.node_errors['1']?.dependent_outputs).toEqual(['7', '8']);
  });

  it('reports a list that fails by itself as a fault', () => {
    const broken = validateWorkflow(
      workflowFromObject({ 1: { class_type: 'Pick', inputs: { name: 'x' } }, 9: save('1') }),
      new Map([
        ...referenceNodes,
        [
          'Pick',
          {
            ...referenceNodes.get('Pick')!,
            required: {
              name: {
                kind: 'COMBO',
                options: () => {
                  throw new Error('EACCES: permission denied');
                },
              },
            },
          },
        ],
      ]),
      folders,
    );
    expect(broken).toMatchObject({
      report: {
        node_errors: {
          1: {
            errors: [{ type: 'exception_during_validation', details: 'name, EACCES: permission denied' }],
          },
        },
      },
    });
  });
});

describe('a name with the slashes of Windows', () => {
  it('is the listed one, which pictures then say', () => {
    const nodes = new Map([
      ...referenceNodes,
      ['Pick', { ...referenceNodes.get('Pick')!, required: { name: combo(['SDXL/a.safetensors']) } }],
    ]);
    const prompt = { 1: { class_type: 'Pick', inputs: { name: 'SDXL\\a.safetensors' } }, 9: save('1') };
    const validation = validateWorkflow(workflowFromObject(prompt), nodes, folders);
    if (!validation.valid) throw new Error(describeReport(validation.report));
    const { plan } = validation;
    expect(plan.nodes.get('1')!.inputs.get('name')).toEqual({
      kind: 'constant',
      value: 'SDXL/a.safetensors',
    });
    expect(workflowMetadata(plan, folders)['prompt']).toContain('"SDXL/a.safetensors"');
  });
});

describe('a sound workflow', () => {
  it('is planned with converted values, without what no output needs', () => {
    const validation = validate({
      1: paint({ shade: '2.5', offset: 3.9, caption: 7, smooth: 0, unknown: [1, 2, 3] }),
      2: { class_type: 'Dice', inputs: { seed: '18446744073709551615' } },
      3: paint({ under: ['2', 0] }),
      4: paint(),
      8: save('1'),
      9: save('3'),
    });
    if (!validation.valid) throw new Error(describeReport(validation.report));
    const { nodes, outputs } = validation.plan;
    expect(outputs).toEqual(['8', '9']);
    expect([...nodes.keys()].sort()).toEqual(['1', '2', '3', '8', '9']);
    expect(Object.fromEntries(nodes.get('1')!.inputs)).toEqual({
      shade: { kind: 'constant', value: 2.5 },
      mode: { kind: 'constant', value: 'fast' },
      smooth: { kind: 'constant', value: false },
      caption: { kind: 'constant', value: '7' },
      offset: { kind: 'constant', value: 3 },
    });
    expect(nodes.get('2')!.inputs.get('seed')).toEqual({ kind: 'constant', value: 18446744073709551615n });
    expect(nodes.get('3')!.inputs.get('under')).toEqual({ kind: 'link', from: '2', slot: 0 });
  });

  it.each(reference.metadata)(
    'is written into pictures byte for byte as ComfyUI does',
    ({ prompt, text }) => {
      const workflow = literalObject({ version: 0.4, nodes: [] });
      const pnginfo = literalObject({ extra_pnginfo: literalObject({ workflow }) });
      const validation = validateText(literalObject({ prompt, extra_data: pnginfo }));
      if (!validation.valid) throw new Error(describeReport(validation.report));
      expect(workflowMetadata(validation.plan, folders)).toEqual({
        prompt: text,
        workflow: '{"version": 0.4, "nodes": []}',
      });
    },
  );
});

describe('what pictures say of a workflow', () => {
  const written = (prompt: string) => {
    const validation = validateWorkflow(parseWorkflow(prompt), referenceNodes, folders);
    if (!validation.valid) throw new Error(describeReport(validation.report));
    return workflowMetadata(validation.plan, folders)['prompt'];
  };
  const look = (id: string, more = '') =>
    `"${id}": {"class_type": "Look", "inputs": {"file": "a.png"}, "_meta": {}${more}}`;
  const saved = (from: string) =>
    `"9": {"is_changed": NaN, "class_type": "Save", "inputs": {"images": ["${from}", 0]}}`;

  it('is in the order of its file, outputs too', () => {
    const prompt = `{"12": {"class_type": "Dice", "inputs": {"seed": 1}}, ${saved('12')}, "a": {"class_type": "Dice", "inputs": {"seed": 1}}, "3": {"class_type": "Save", "inputs": {"images": ["12", 0]}}}`;
    expect(written(prompt)).toBe(prompt);
    const validation = validateWorkflow(parseWorkflow(prompt), referenceNodes, folders);
    expect(validation.valid && validation.plan.outputs).toEqual(['9', '3']);
  });

  it('tells the fingerprints that ComfyUI tells, last in their nodes', () => {
    const prompt = `{${look('1')}, ${saved('1')}}`;
    expect(written(prompt)).toBe(`{${look('1', ', "is_changed": ["hash of a.png"]')}, ${saved('1')}}`);
  });

  it('keeps a fingerprint that the file has, and writes NaN for one that fails', () => {
    const given = `{${look('1', ', "is_changed": ["old"], "x": 1')}, ${saved('1')}}`;
    expect(written(given)).toBe(given);
    const gone = `{${look('1').replace('a.png', 'gone')}, ${saved('1')}}`;
    expect(written(gone)).toBe(gone.replace('"_meta": {}', '"_meta": {}, "is_changed": NaN'));
  });
});

describe('describeReport', () => {
  it('gives node, class, input and expectation of every fault', () => {
    const report = reportOf({ 1: paint({ shade: 11, mode: 'exakt' }), 9: save('1') });
    expect(describeReport(report)).toBe(
      [
        'The workflow has 2 faults:',
        '  node 1 (Paint): Value 11.0 bigger than max of 10.0: shade; expected FLOAT from 0 to 10',
        `  node 1 (Paint): Value not in list: mode: 'exakt' not in ['fast', 'exact', 'slow']; nearest: "exact"`,
      ].join('\n'),
    );
    expect(describeReport(reportOf({ 1: paint() }))).toBe('Prompt has no outputs');
  });
});
