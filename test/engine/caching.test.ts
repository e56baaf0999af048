import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { node, openWorkshop, ranResult, transcript, type Workshop } from './workshop.js';

let shop: Workshop;
beforeEach(() => {
  shop = openWorkshop();
});
afterEach(() => shop.close());

const run = async (workflow: object, options: { forceOutputs?: boolean } = {}) => {
  const { lines, onEvent } = transcript();
  const result = ranResult(await shop.engine.run(workflow, { ...options, onEvent }));
  return { result, lines, ran: shop.ran() };
};

/** 1 and 2 are added into 3, which 9 saves. */
const sum = (changes: Record<string, object> = {}) => ({
  1: node('Flat', { shade: 0.25 }),
  2: node('Flat', { shade: 0.5 }),
  3: node('Add', { a: ['1', 0], b: ['2', 0] }),
  9: node('Save', { image: ['3', 0] }),
  ...changes,
});

describe('a second run', () => {
  it('repeats nothing, and gives the saved files again', async () => {
    const first = await run(sum());
    expect(first.ran).toEqual(['2', '1', '3', '9']);
    const second = await run(sum());
    expect(second.ran).toEqual([]);
    expect(second.lines).toEqual([
      'execution_start',
      'execution_cached 1,2,3,9',
      'executed 9 again',
      'execution_success',
    ]);
    expect(second.result.outputs).toEqual(first.result.outputs);
    expect(second.result.timings).toEqual([]);
  });

  it('repeats what depends on a changed input, and nothing else', async () => {
    await run(sum());
    expect((await run(sum({ 2: node('Flat', { shade: 0.75 }) }))).ran).toEqual(['2', '3', '9']);
    expect(JSON.parse(shop.saved('sum'))).toMatchObject({ sum: 4 });
    expect(
      (await run(sum({ 2: node('Flat', { shade: 0.75 }), 9: node('Save', { image: ['3', 0], name: 'x' }) })))
        .ran,
    ).toEqual(['9']);
  });

  it('knows nodes by what they do, not by their ids or by how their inputs are written', async () => {
    await run(sum());
    const renamed = {
      a: node('Flat', { shade: '0.25' }),
      b: { ...node('Flat', { unknown: 3, shade: 0.5 }), _meta: { title: 'Half' } },
      c: node('Add', { b: ['b', 0], a: ['a', 0] }),
      d: node('Save', { image: ['c', 0] }),
    };
    const second = await run(renamed);
    expect(second.ran).toEqual([]);
    expect(Object.keys(second.result.outputs)).toEqual(['d']);
  });

  it('tells apart which input a node is linked to, and which output', async () => {
    await run(sum());
    expect((await run(sum({ 3: node('Add', { a: ['2', 0], b: ['1', 0] }) }))).ran).toEqual(['3', '9']);
  });

  it('does not take an optional input that is given for one that is left out', async () => {
    await run(sum());
    expect((await run(sum({ 1: node('Flat', { shade: 0.25, size: 4 }) }))).ran).toEqual(['1', '3', '9']);
  });

  it('runs output nodes again when forced, on the results there are', async () => {
    await run(sum());
    const forced = await run(sum(), { forceOutputs: true });
    expect(forced.ran).toEqual(['9']);
    expect(forced.lines).toEqual([
      'execution_start',
      'execution_cached 1,2,3',
      'executing 9',
      'executed 9',
      'execution_success',
    ]);
  });

  it('drops results that the workflow after it had no use for, as ComfyUI does', async () => {
    await run(sum());
    await run({ 1: node('Flat', { shade: 0.25 }), 9: node('Save', { image: ['1', 0] }) });
    expect((await run(sum())).ran).toEqual(['2', '3', '9']);
  });

  it('keeps what ran before a failure', async () => {
    const broken = sum({
      9: node('Save', { image: ['4', 0] }),
      4: node('Fail', { image: ['3', 0], message: 'no' }),
    });
    expect((await run(broken)).result.status).toBe('error');
    expect((await run(broken)).ran).toEqual(['4']);
    expect((await run(sum())).ran).toEqual(['9']);
  });

  it('forgets everything when asked to', async () => {
    await run(sum());
    shop.engine.clearResults();
    expect((await run(sum())).ran).toEqual(['2', '1', '3', '9']);
  });
});

describe('two nodes that do the same', () => {
  it('run once in a run', async () => {
    const { ran, result } = await run({
      1: node('Flat', { shade: 0.25 }),
      2: node('Flat', { shade: 0.25 }),
      3: node('Add', { a: ['1', 0], b: ['2', 0] }),
      8: node('Save', { image: ['3', 0] }),
      9: node('Save', { image: ['3', 0] }),
    });
    expect(ran).toEqual(['2', '3', '8']);
    expect(result.outputs['9']).toEqual(result.outputs['8']);
    expect(JSON.parse(shop.saved('sum'))).toMatchObject({ sum: 2 });
  });
});

describe('a fingerprint', () => {
  const files = { 1: node('File', { file: 'a' }), 9: node('Save', { image: ['1', 0] }) };

  it('runs a node again when its file changed', async () => {
    const path = join(shop.folder, 'input', 'a');
    writeFileSync(path, 'one');
    expect((await run(files)).ran).toEqual(['1', '9']);
    expect((await run(files)).ran).toEqual([]);
    utimesSync(path, new Date(1000), new Date(1000));
    expect((await run(files)).ran).toEqual(['1', '9']);
  });

  it('that cannot be taken leaves it to the node to say why', async () => {
    const missing = await run(files);
    expect(missing.result).toMatchObject({
      status: 'error',
      error: { node_id: '1', node_type: 'File', exception_type: 'InputFileError' },
    });
    const path = join(shop.folder, 'input', 'a');
    writeFileSync(path, 'one');
    expect((await run(files)).result.status).toBe('success');
    rmSync(path);
    expect((await run(files)).result.status).toBe('error');
  });
});

describe('the memory bound', () => {
  it('drops results between runs, but none that the run still needs', async () => {
    await shop.close();
    // Two results of 400 bytes fit.
    shop = openWorkshop(1000);
    const chain = {
      1: node('Flat', { shade: 1, size: 100 }),
      2: node('Walk', { image: ['1', 0], steps: 1 }),
      3: node('Walk', { image: ['2', 0], steps: 1 }),
      4: node('Walk', { image: ['3', 0], steps: 1 }),
      5: node('Add', { a: ['4', 0], b: ['1', 0] }),
      9: node('Save', { image: ['5', 0] }),
    };
    expect((await run(chain)).ran).toEqual(['1', '2', '3', '4', '5', '9']);
    expect(JSON.parse(shop.saved('sum'))).toMatchObject({ sum: 500 });
    expect((await run(chain)).lines[1]).toBe('execution_cached 4,5,9');
    // What only 5 needs is known or not needed: 4 is there, 1 has to run again, 2 and 3 don't.
    const other = { ...chain, 5: node('Add', { a: ['1', 0], b: ['4', 0] }) };
    expect((await run(other)).ran).toEqual(['1', '5', '9']);
  });
});
