import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeClasses } from '../../src/nodes/index.js';
import { pythonJson } from '../../src/python/value.js';
import { fixture } from '../support/golden.js';
import { differences } from '../support/reference-values.js';
import { openCases, runCase } from '../support/run-cases.js';

/** Values of a few units after a handful of float32 operations, whose order torch chooses. */
const TOLERANCE = 1e-6;

const files = readdirSync(fixture('nodes/cases')).filter((name) => name.endsWith('.safetensors'));

describe.each(files)('%s: nodes return what the reference does, and refuse what it refuses', (file) => {
  const { cases, tensor } = openCases(`nodes/cases/${file}`);
  const names = [...new Set(cases.map(({ node }) => node))];

  it.each(names)('%s', async (name) => {
    const found: string[] = [];
    for (const [index, each] of cases.entries()) {
      if (each.node !== name) continue;
      const { outputs, error, output } = await runCase(each, tensor);
      const label = `case ${index} ${pythonJson(each.inputs).slice(0, 300)}`;
      if (each.outputs === undefined) {
        if (error === undefined) found.push(`${label}: not refused, but ${String(outputs)}`);
        continue;
      }
      if (error !== undefined) {
        found.push(`${label}: ${error.slice(0, 500)}`);
        continue;
      }
      for (const [path, text] of Object.entries(each.files ?? {})) {
        const saved = readFileSync(join(output, path), 'utf8');
        if (saved !== text) found.push(`${label}: ${path} holds ${saved}, not ${text}`);
      }
      for (const [slot, expected] of each.outputs.entries()) {
        const own = outputs[slot]!;
        const actual = nodeClasses.get(name)!.outputs[slot]!.isList === true ? own : own[0];
        found.push(...differences(actual, expected, TOLERANCE, `${label} output ${slot}`));
      }
    }
    expect(found).toEqual([]);
  });
});
