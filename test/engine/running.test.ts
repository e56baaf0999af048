import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/workflow/events.js';
import { parseWorkflow } from '../../src/workflow/parse.js';
import { node, openWorkshop, ranResult, transcript, type Workshop } from './workshop.js';

let shop: Workshop;
beforeEach(() => {
  shop = openWorkshop();
});
afterEach(() => shop.close());

const flat = node('Flat', { shade: 0.5 });

describe('a run', () => {
  it('runs only what the outputs need, dependencies first, one output after the other', async () => {
    const { lines, onEvent } = transcript();
    const result = ranResult(
      await shop.engine.run(
        {
          1: flat,
          2: node('Walk', { image: ['1', 0], steps: 2 }),
          3: node('Save', { image: ['2', 0], name: 'a' }),
          4: node('Pass', { image: ['1', 0] }),
          5: node('Pass', { image: ['4', 0], note: 'leads nowhere' }),
          6: node('Save', { image: ['4', 0], name: 'b' }),
        },
        { onEvent },
      ),
    );
    expect(lines).toEqual([
      'execution_start',
      'execution_cached',
      'executing 1',
      'executed 1',
      'executing 2',
      'progress 2 1/2',
      'progress 2 2/2',
      'executed 2',
      'executing 3',
      'executed 3',
      'executing 4',
      'executed 4',
      'executing 6',
      'executed 6',
      'execution_success',
    ]);
    expect(result.status).toBe('success');
    expect(result.timings.map((timing) => [timing.node, timing.class_type])).toEqual([
      ['1', 'Flat'],
      ['2', 'Walk'],
      ['3', 'Save'],
      ['4', 'Pass'],
      ['6', 'Save'],
    ]);
    const sum = result.timings.reduce((total, { ms }) => total + ms, 0);
    expect(result.ms).toBeGreaterThanOrEqual(sum);
    expect(Object.keys(result.outputs)).toEqual(['3', '6']);
    expect(result.outputs['3']?.images?.[0]).toMatchObject({ filename: 'a.txt', type: 'output' });
  });

  it('gives seeds as bigints with every digit, written or over a link', async () => {
    await shop.engine.run({
      1: node('Dice', { seed: 18446744073709551615n }),
      2: node('Print', { text: ['1', 0], name: 'written' }),
      3: node('Flat', { shade: 1, size: 77 }),
      4: node('Dice', { seed: ['3', 1] }),
      5: node('Print', { text: ['4', 0], name: 'linked' }),
    });
    expect(shop.saved('written')).toBe('bigint 18446744073709551615');
    expect(shop.saved('linked')).toBe('bigint 77');
    await shop.engine.run(
      '{"1": {"class_type": "Dice", "inputs": {"seed": 9007199254740993}}, "2": {"class_type": "Print", "inputs": {"text": ["1", 0], "name": "text"}}}',
    );
    expect(shop.saved('text')).toBe('bigint 9007199254740993');
  });

  it("gives nodes the metadata that ComfyUI's pictures carry, or what it is told", async () => {
    const workflow = {
      prompt: { 1: flat, 9: node('Save', { image: ['1', 0] }) },
      extra_data: { extra_pnginfo: { workflow: { nodes: [] } } },
    };
    const metadata = () => (JSON.parse(shop.saved('sum')) as { metadata: object }).metadata;
    await shop.engine.run(workflow);
    expect(metadata()).toEqual({
      prompt:
        '{"1": {"class_type": "Flat", "inputs": {"shade": 0.5}}, "9": {"class_type": "Save", "inputs": {"image": ["1", 0]}}}',
      workflow: '{"nodes": []}',
    });
    await shop.engine.run(workflow, { metadata: { prompt: 'mine' }, forceOutputs: true });
    expect(metadata()).toEqual({ prompt: 'mine' });
  });

  it('survives a chain of 5000 nodes', async () => {
    const chain: Record<string, object> = { 0: flat };
    for (let index = 1; index < 5000; index++) chain[index] = node('Pass', { image: [String(index - 1), 0] });
    chain['end'] = node('Save', { image: ['4999', 0] });
    const result = ranResult(await shop.engine.run(chain));
    expect(result.timings).toHaveLength(5001);
    expect(shop.ran()).toHaveLength(5001);
    expect(ranResult(await shop.engine.run(chain)).timings).toEqual([]);
  });

  it('survives a node that 500 others need, and an output for each', async () => {
    const fan: Record<string, object> = { a: flat };
    for (let index = 0; index < 500; index++) {
      fan[`p${index}`] = node('Pass', { image: ['a', 0], note: String(index) });
      fan[`s${index}`] = node('Save', { image: [`p${index}`, 0] });
    }
    const result = ranResult(await shop.engine.run(fan, { metadata: {} }));
    expect(result.timings).toHaveLength(1001);
    expect(shop.ran().slice(0, 5)).toEqual(['a', 'p0', 's0', 'p1', 's1']);
  });

  it('takes little time over a ladder whose paths double at every rung', async () => {
    const ladder: Record<string, object> = { 0: flat };
    for (let rung = 1; rung <= 200; rung++) {
      ladder[rung] = node('Add', { a: [String(rung - 1), 0], b: [String(rung - 1), 0] });
    }
    ladder['end'] = node('Save', { image: ['200', 0] });
    expect(ranResult(await shop.engine.run(ladder)).timings).toHaveLength(202);
  });
});

describe('events', () => {
  it('can be sent to another process, but for previews', async () => {
    const events: RunEvent[] = [];
    await shop.engine.run(
      {
        1: flat,
        2: node('Walk', { image: ['1', 0], steps: 1 }),
        3: node('Save', { image: ['2', 0] }),
        4: node('Fail', { image: ['2', 0], message: 'no', seed: 18446744073709551615n }),
        5: node('Save', { image: ['4', 0] }),
      },
      { onEvent: (event) => events.push(event) },
    );
    const progress = events.find((event) => event.type === 'progress');
    expect(progress?.preview?.denoised.shape).toEqual([1, 1, 4, 1]);
    const plain = events.map((event) =>
      event.type === 'progress' ? { ...event, preview: undefined } : event,
    );
    expect(JSON.parse(JSON.stringify(plain))).toEqual(
      plain.map((event) => structuredClone(event)).map(dropUndefined),
    );
    expect(plain.at(-1)?.type).toBe('execution_error');
  });
});

function dropUndefined(event: object): object {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
}

describe("a node's exception", () => {
  it('ends the run with an error that names node, class, message and inputs', async () => {
    const { lines, onEvent } = transcript();
    const result = ranResult(
      await shop.engine.run(
        {
          1: flat,
          2: node('Fail', { image: ['1', 0], message: 'out of range', seed: 18446744073709551615n }),
          3: node('Save', { image: ['2', 0] }),
          4: node('Save', { image: ['1', 0] }),
        },
        { onEvent },
      ),
    );
    if (result.status !== 'error') throw new Error(result.status);
    expect(result.error).toMatchObject({
      node_id: '2',
      node_type: 'Fail',
      exception_type: 'RangeError',
      exception_message: 'out of range',
      current_inputs: {
        image: ['tensor [1, 1, 4, 1]'],
        message: ['out of range'],
        seed: ['18446744073709551615'],
      },
    });
    expect(result.error.traceback[0]).toContain('running-nodes.ts');
    expect(result.timings.map((timing) => timing.node)).toEqual(['1', '4', '2']);
    expect(lines.slice(-2)).toEqual(['executing 2', 'execution_error']);
    expect(ranResult(await shop.engine.run({ 1: flat, 9: node('Save', { image: ['1', 0] }) })).status).toBe(
      'success',
    );
  });

  it.each([{}, { nothing: 'at all' }])(
    'is raised for a node that returns other than it declares: %j',
    async (inputs) => {
      const result = await shop.engine.run({
        1: node('Short', inputs),
        9: node('Save', { image: ['1', 0] }),
      });
      expect(result).toMatchObject({
        status: 'error',
        error: {
          node_id: '1',
          exception_message: expect.stringMatching(/^Short declares 2 outputs/) as string,
        },
      });
    },
  );
});

describe('cancellation', () => {
  const long = {
    1: flat,
    2: node('Walk', { image: ['1', 0], steps: 100_000 }),
    9: node('Save', { image: ['2', 0] }),
  };

  it('stops within one step', async () => {
    const controller = new AbortController();
    let steps = 0;
    const { lines, onEvent } = transcript();
    const result = ranResult(
      await shop.engine.run(long, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type !== 'progress') onEvent(event);
          else if (++steps === 3) controller.abort();
        },
      }),
    );
    expect(steps).toBe(3);
    expect(result).toMatchObject({ status: 'interrupted', node: '2', outputs: {} });
    expect(lines.slice(-2)).toEqual(['executing 2', 'execution_interrupted 2']);
  });

  it('reaches between nodes that never wait', async () => {
    const chain: Record<string, object> = { 0: flat };
    for (let index = 1; index < 1000; index++) chain[index] = node('Pass', { image: [String(index - 1), 0] });
    chain['end'] = node('Save', { image: ['999', 0] });
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 1);
    const result = ranResult(await shop.engine.run(chain, { signal: controller.signal }));
    expect(result.status).toBe('interrupted');
    expect(shop.ran().length).toBeLessThan(1000);
  });

  it('before the start runs nothing, and keeps what earlier runs found', async () => {
    const short = { 1: flat, 9: node('Save', { image: ['1', 0] }) };
    const result = ranResult(await shop.engine.run(short, { signal: AbortSignal.abort() }));
    expect([result.status, shop.ran()]).toEqual(['interrupted', []]);
    await shop.engine.run(short);
    shop.ran();
    expect(ranResult(await shop.engine.run(short, { signal: AbortSignal.abort() })).status).toBe('success');
  });

  it('leaves nothing on a signal that outlives the run', async () => {
    const { signal } = new AbortController();
    const short = { 1: flat, 9: node('Save', { image: ['1', 0] }) };
    for (let run = 0; run < 3; run++) await shop.engine.run(short, { signal, forceOutputs: true });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('does not excuse a failure of its own', async () => {
    const failing = {
      1: flat,
      2: node('Fail', { image: ['1', 0], message: 'no' }),
      9: node('Save', { image: ['2', 0] }),
    };
    const { signal } = new AbortController();
    expect(ranResult(await shop.engine.run(failing, { signal })).status).toBe('error');
  });
});

describe('the engine', () => {
  it('refuses an invalid workflow and runs none of it', async () => {
    const workflow = { 1: node('Flat', { shade: 7 }), 8: node('Save', { image: ['1', 0] }), 9: node('Sav') };
    const result = await shop.engine.run(workflow);
    if (result.status !== 'invalid') throw new Error(result.status);
    expect(Object.keys(result.report.node_errors)).toEqual(['1', '9']);
    expect(shop.engine.validate(workflow)).toEqual(result.report);
    expect(shop.ran()).toEqual([]);
    expect(await shop.engine.run('{')).toMatchObject({
      status: 'invalid',
      report: { error: { type: 'invalid_json' } },
    });
    expect(shop.engine.validate({ 1: flat, 9: node('Save', { image: ['1', 0] }) })).toBeUndefined();
  });

  it('takes a workflow that was parsed before', async () => {
    const parsed = parseWorkflow(JSON.stringify({ 1: flat, 9: node('Save', { image: ['1', 0] }) }));
    expect(ranResult(await shop.engine.run(parsed)).status).toBe('success');
  });

  it('runs one workflow at a time, in the order in which they came', async () => {
    const order: string[] = [];
    const walk = (name: string) =>
      shop.engine.run(
        {
          1: node('Flat', { shade: 0.5 }),
          2: node('Walk', { image: ['1', 0], steps: 5 }),
          9: node('Save', { image: ['2', 0], name }),
        },
        {
          onEvent: (event) => {
            if (event.type === 'execution_start' || event.type === 'execution_success')
              order.push(`${name} ${event.type}`);
          },
        },
      );
    await Promise.all(['a', 'b', 'c'].map(walk));
    expect(order).toEqual(
      ['a', 'b', 'c'].flatMap((name) => [`${name} execution_start`, `${name} execution_success`]),
    );
    // The second and third found the first one's results.
    expect(shop.ran()).toEqual(['1', '2', '9', '9', '9']);
  });

  it('cancels what runs and waits when it is disposed, and runs nothing after', async () => {
    const long = {
      1: flat,
      2: node('Walk', { image: ['1', 0], steps: 100_000 }),
      9: node('Save', { image: ['2', 0] }),
    };
    const running = shop.engine.run(long);
    const waiting = shop.engine.run(long);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await shop.engine.dispose();
    expect([(await running).status, (await waiting).status]).toEqual(['interrupted', 'interrupted']);
    await expect(shop.engine.run(long)).rejects.toThrow('disposed');
    await shop.engine.dispose();
  });

  it('describes its node classes as ComfyUI does', () => {
    expect(shop.engine.objectInfo()['Dice']).toEqual({
      input: {
        required: {
          seed: ['INT', { default: 0, min: 0, max: 18446744073709552000, control_after_generate: true }],
        },
      },
      input_order: { required: ['seed'] },
      is_input_list: false,
      output: ['STRING'],
      output_is_list: [false],
      output_name: ['STRING'],
      name: 'Dice',
      display_name: '',
      description: '',
      python_module: 'nodes',
      category: 'test',
      output_node: false,
      has_intermediate_output: false,
    });
    expect(shop.engine.objectInfo()['File']?.input.required['file']).toEqual([[], {}]);
  });
});

describe('a workflow with a faulty output beside sound ones', () => {
  const half = {
    1: flat,
    2: node('Flat', { shade: 7 }),
    8: node('Save', { image: ['2', 0], name: 'faulty' }),
    9: node('Save', { image: ['1', 0], name: 'sound' }),
  };

  it('runs the sound ones and tells why the other was left out', async () => {
    const events: RunEvent[] = [];
    const result = ranResult(await shop.engine.run(half, { onEvent: (event) => events.push(event) }));
    expect(result.status).toBe('success');
    expect(Object.keys(result.outputs)).toEqual(['9']);
    expect(shop.ran()).toEqual(['1', '9']);
    const faults = {
      node_errors: { 2: { errors: [{ type: 'value_bigger_than_max' }], dependent_outputs: ['8'] } },
    };
    expect(result.faults).toMatchObject(faults);
    expect(events[0]).toMatchObject({ type: 'execution_start', faults });
  });

  it('is checked as what can run and what cannot', () => {
    expect(shop.engine.check(half)).toMatchObject({ outputs: ['9'], faults: { node_errors: { 2: {} } } });
    expect(shop.engine.validate(half)).toBeUndefined();
    const sound = { 1: flat, 9: node('Save', { image: ['1', 0] }) };
    expect(shop.engine.check(sound)).toEqual({ outputs: ['9'], faults: undefined });
    expect(shop.engine.check({ 1: flat })).toMatchObject({ outputs: [], faults: { node_errors: {} } });
  });

  it('runs only the outputs that a /prompt body asks for', async () => {
    const body = {
      prompt: { 1: flat, 8: node('Save', { image: ['1', 0] }), 9: node('Save', { image: ['1', 0] }) },
      partial_execution_targets: ['9'],
    };
    expect(Object.keys(ranResult(await shop.engine.run(body)).outputs)).toEqual(['9']);
    expect(shop.ran()).toEqual(['1', '9']);
    expect(shop.engine.validate({ ...body, partial_execution_targets: '9' })?.error).toMatchObject({
      type: 'invalid_prompt',
      details: '"partial_execution_targets" is text, expected a list of node ids',
    });
  });
});
