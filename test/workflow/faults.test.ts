import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createFolders } from '../../src/models/folders/folders.js';
import { describeReport, WorkflowError, type FaultReport } from '../../src/workflow/faults.js';
import { reachable } from '../../src/workflow/links.js';
import { workflowFromObject } from '../../src/workflow/parse.js';
import { validateWorkflow } from '../../src/workflow/validate.js';
import { referenceNodes } from './reference-nodes.js';

const folders = createFolders({ models: tmpdir(), input: tmpdir(), output: tmpdir(), temp: tmpdir() });

function reportOf(prompt: object): FaultReport {
  try {
    const validation = validateWorkflow(workflowFromObject(prompt), referenceNodes, folders);
    if (validation.report === undefined) throw new Error('the workflow is sound');
    return validation.report;
  } catch (error) {
    if (error instanceof WorkflowError) return error.report;
    throw error;
  }
}

const long = 'N'.repeat(180_000);
const save = (from: unknown) => ({ class_type: 'Save', inputs: { images: from } });

/** A chain of `length` nodes whose last one leads back to the first by `links` inputs. */
function cycles(length: number, links: number, classType: string) {
  return Object.fromEntries(
    Array.from({ length }, (_, index) => [
      `n${index}`,
      {
        class_type: classType,
        inputs:
          index + 1 < length
            ? { a: [`n${index + 1}`, 0] }
            : Object.fromEntries(Array.from({ length: links }, (_, link) => [`a${link}`, ['n0', 0]])),
      },
    ]),
  );
}

describe('whatever is wrong with a workflow', () => {
  it.each<[name: string, prompt: object, faults: number]>([
    ['a long class', { 1: { class_type: long, inputs: {} } }, 1],
    [
      'long values',
      {
        1: { class_type: 'Paint', inputs: { shade: long, mode: long, smooth: true, caption: '' } },
        9: save(['1', 0]),
      },
      2,
    ],
    ['a long id', { [long]: { class_type: 'Save', inputs: { images: [long, 0] } } }, 2],
    ['a link to a long id', { 9: save([long, 0]) }, 1],
    ['a long list', { 9: save(Array.from({ length: 100_000 }, () => 'x')) }, 1],
    [
      '8,000 unknown classes',
      Object.fromEntries(
        Array.from({ length: 8000 }, (_, id) => [`n${id}`, { class_type: 'Paynt', inputs: {} }]),
      ),
      8000,
    ],
    [
      '8,000 things that are no nodes',
      Object.fromEntries(Array.from({ length: 8000 }, (_, id) => [`n${id}`, id])),
      8000,
    ],
    // Unknown classes, each once more as a node of a cycle, and the cycles beyond the first twenty.
    ['4,500 cycles of 2,000 nodes', cycles(2000, 4500, 'X'), 2000 + 2000 + 4480],
    [
      '20,000 outputs without images',
      Object.fromEntries(
        Array.from({ length: 20_000 }, (_, id) => [`n${id}`, { class_type: 'Save', inputs: {} }]),
      ),
      20_000,
    ],
  ])('is told in a few kilobytes: %s', (_, prompt, faults) => {
    const report = reportOf(prompt);
    expect(JSON.stringify(report).length).toBeLessThan(48_000);
    const text = describeReport(report);
    expect(text.length).toBeLessThan(24_000);
    const told = Object.values(report.node_errors).flatMap(({ errors }) => errors).length;
    expect(told).toBe(Math.min(faults, 20));
    expect(report.error.extra_info['untold_faults']).toBe(faults > 20 ? faults - 20 : undefined);
    expect(text.split('\n').at(-1)).toContain(faults > 20 ? `and ${faults - 20} more faults` : 'node ');
  });

  it('is told on one line each, with nothing that a terminal would obey', () => {
    const report = reportOf({ 1: { class_type: 'No\x1b[31mSuch\nNode', inputs: {} } });
    expect(describeReport(report).split('\n')).toEqual([
      'The workflow has a fault:',
      String.raw`  node 1 (No\x1b[31mSuch\nNode): Node 'No\x1b[31mSuch\nNode' not found. The custom node may not be installed.: Node ID '#1'`,
    ]);
  });

  it('names the outputs that need a faulty node, in their order', () => {
    const paint = { class_type: 'Paint', inputs: { mode: 'fast', smooth: true, caption: '' } };
    const report = reportOf({
      9: save(['2', 0]),
      1: paint,
      2: { ...paint, inputs: { ...paint.inputs, shade: 1, under: ['1', 0] } },
      3: { ...paint, inputs: { ...paint.inputs, shade: 1 } },
      8: save(['1', 0]),
      7: save(['3', 0]),
    });
    expect(report.node_errors['1']?.dependent_outputs).toEqual(['8', '9']);
  });
});

describe('a walk over a workflow', () => {
  it('shortens the way round a long cycle', () => {
    const ring = Array.from({ length: 100 }, (_, id): [string, object] => [
      `n${id}`,
      {
        class_type: 'Paint',
        inputs: { shade: 1, mode: 'fast', smooth: true, caption: '', under: [`n${(id + 1) % 100}`, 0] },
      },
    ]);
    const report = reportOf({ ...Object.fromEntries(ring), out: save(['n0', 0]) });
    const fault = report.node_errors['n0']!.errors[0]!;
    const { cycle_nodes: cycle } = fault.extra_info as { readonly cycle_nodes: readonly string[] };
    expect(cycle.slice(0, 2)).toEqual(['n0', 'n1']);
    expect(cycle.slice(5, 8)).toEqual(['n5', '… 89 more …', 'n95']);
    expect(cycle.at(-1)).toBe('n99');
    expect(fault.details).toContain('n5 (Paint) -> … 89 more … -> n95 (Paint)');
  });

  it('looks at each node once, however many cycles there are', () => {
    let looks = 0;
    const { cycles: found, cycleCount } = reachable(['0'], (id) => {
      looks++;
      if (Number(id) < 1999) return [{ input: 'a', from: String(Number(id) + 1) }];
      return Array.from({ length: 50_000 }, (_, link) => ({ input: `a${link}`, from: '0' }));
    });
    expect(looks).toBe(2000);
    expect(cycleCount).toBe(50_000);
    expect(found).toHaveLength(20);
  });
});
