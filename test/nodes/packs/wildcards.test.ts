import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFolders } from '../../../src/models/folders/folders.js';
import { populate, readWildcards } from '../../../src/nodes/packs/impact/wildcards.js';
import { fixture } from '../../support/golden.js';
import { temporaryFolder } from '../../support/node-context.js';

interface Fixture {
  readonly words: Readonly<Record<string, readonly string[]>>;
  readonly cases: readonly (readonly [text: string, seed: string, result: string])[];
}

/** Of tools/reference/wildcards.py. */
const { words, cases } = JSON.parse(readFileSync(fixture('nodes/wildcards.json'), 'utf8')) as Fixture;

describe("choices of texts are those of Impact's wildcards", () => {
  const wildcards = new Map(Object.entries(words));
  it.each([...new Set(cases.map(([text]) => text))])('%j', (text) => {
    for (const [, seed, result] of cases.filter(([each]) => each === text)) {
      expect(populate(text, BigInt(seed), wildcards)).toBe(result);
    }
  });

  it('refuses choices that can not be made', () => {
    expect(() => populate('{x$$a|b}', 0n, wildcards)).toThrow(/needs a number before \$\$/);
    expect(() => populate('{3-1$$a|b}', 0n, wildcards)).toThrow(RangeError);
    expect(() => populate('{0::a|0::b}', 0n, wildcards)).toThrow(/weights/);
  });

  it('reads lists of words from text files and YAML', () => {
    const root = temporaryFolder();
    mkdirSync(`${root}/wildcards/My Colours`, { recursive: true });
    writeFileSync(`${root}/wildcards/My Colours/Warm.txt`, '# reds\nred\r\n\nrosé\n');
    writeFileSync(`${root}/wildcards/all.yaml`, 'Beasts:\n  Small: [mouse, 7]\n  one: owl\n');
    const folders = createFolders({ models: root, input: root, output: root, temp: root });
    expect([...readWildcards(folders)]).toEqual([
      ['my-colours/warm', ['red', '', 'rosé']],
      ['beasts/small', ['mouse', '7']],
      ['beasts/one', ['owl']],
    ]);
    writeFileSync(`${root}/wildcards/bad.yaml`, 'a: [');
    expect(() => readWildcards(folders)).toThrow(/wildcards in bad.yaml are no YAML/);
  });
});
