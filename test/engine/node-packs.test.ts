import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNodePacks, NodePackError } from '../../src/engine/node-packs.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-packs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const nodeText = (name: string, more = '') =>
  `{ name: '${name}', displayName: '', category: '', description: '', required: {}, optional: {}, outputs: [],
     run: () => ({ outputs: [] }), ${more} }`;
const packText = (...names: string[]) =>
  `export const nodes = [${names.map((name) => nodeText(name)).join()}];`;

const load = (...packs: string[]) => loadNodePacks(packs, folder);
const names = async (...packs: string[]) => (await load(...packs)).map(({ name }) => name);

describe('a node pack', () => {
  it('is found by its path, as a file, a folder, and by what package.json says', async () => {
    file('one.mjs', packText('One'));
    file('two/index.js', packText('Two'));
    file('two/package.json', '{"type": "module"}');
    file('three/lib/main.js', packText('Three'));
    file(
      'three/package.json',
      '{"type": "module", "exports": {".": {"types": "./x.d.ts", "import": "./lib/main.js"}}}',
    );
    file('four/four.mjs', `export default [${nodeText('Four')}];`);
    file('four/package.json', '{"main": "four.mjs"}');
    expect(await names('./one.mjs', './two', join(folder, 'three'), './four')).toEqual([
      'One',
      'Two',
      'Three',
      'Four',
    ]);
  });

  it('is found by its name in node_modules, here and above', async () => {
    file('node_modules/@some/pack/index.js', packText('Scoped'));
    file('node_modules/@some/pack/package.json', '{"type": "module", "exports": "./index.js"}');
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
    const loaded = await loadNodePacks(['@some/pack'], join(folder, 'deep', 'er'));
    expect(loaded.map(({ name }) => name)).toEqual(['Scoped']);
  });

  it('counts once, however often it is named', async () => {
    file('one.mjs', packText('One'));
    expect(await names('./one.mjs', './one.mjs')).toEqual(['One']);
  });

  it.each([
    ['that is not installed', 'no-such-pack', '', 'no such package is installed in'],
    ['that is not there', './nowhere', '', 'nowhere is not there'],
    [
      'that fails to load',
      './pack.mjs',
      'throw new Error("no card\\nhere")',
      'fails to load: no card\\nhere',
    ],
    ['that is no JavaScript', './pack.mjs', 'export const', 'fails to load: '],
    ['without nodes', './pack.mjs', 'export const node = 1', 'must export a list of node classes as `nodes`'],
    ['with something else', './pack.mjs', 'export const nodes = [7]', 'nodes[0]: name must be text'],
    [
      'without run',
      './pack.mjs',
      `export const nodes = [${nodeText('A', 'run: 1')}]`,
      'nodes[0] (A): run must be a function',
    ],
    [
      'with an odd input',
      './pack.mjs',
      `export const nodes = [${nodeText('A', 'required: { x: { kind: "INTEGER" } }')}]`,
      'nodes[0] (A): required.x must be made by an input builder',
    ],
    [
      'with an odd output',
      './pack.mjs',
      `export const nodes = [${nodeText('A', 'outputs: ["INT"]')}]`,
      'nodes[0] (A): outputs must have a type and a name each',
    ],
    [
      "with one of latentd's names",
      './pack.mjs',
      packText('KSampler'),
      'its class KSampler has the name of one of latentd itself',
    ],
  ])('%s is refused by name', async (_, pack, text, reason) => {
    file('pack.mjs', text);
    const refusal = load(pack);
    await expect(refusal).rejects.toThrow(NodePackError);
    await expect(refusal).rejects.toThrow(`node pack ${pack}: `);
    await expect(refusal).rejects.toThrow(reason);
  });

  it('has no class that another has', async () => {
    file('one.mjs', packText('One'));
    file('two.mjs', packText('Two', 'One'));
    await expect(load('./one.mjs', './two.mjs')).rejects.toThrow(
      'node pack ./two.mjs: its class One has the name of one of node pack ./one.mjs; give it another',
    );
  });
});
