import { expect, it } from 'vitest';
import { tensor } from '../../../src/compute/tensor.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import type { TextWeighing } from '../../../src/models/text/text-encoding.js';
import { fixture, goldenTensors, relativeRms } from '../../support/golden.js';
import { tinyModels } from '../../support/tiny-models.js';

interface Case extends TextWeighing {
  readonly family: 'sd15' | 'sdxl';
  readonly text: string;
  readonly rows: readonly number[];
  readonly tokens: number;
}

const FILE = 'models/text/weighed-prompts.safetensors';
const opened = openSafetensors(fixture(FILE));
const cases = JSON.parse(opened.metadata['cases']!) as readonly Case[];
opened.file.close();
const golden = goldenTensors(FILE);

it.each(['sd15', 'sdxl'] as const)("%s: words weigh as in Easy-Use's loaders", async (family) => {
  const { clip } = tinyModels(family);
  for (const [index, { text, rows, tokens, normalization, interpretation, ...given }] of cases.entries()) {
    if (given.family !== family) continue;
    const { cond, pooled } = await clip
      .withLayer(-2)
      .encode(text, { weighing: { normalization, interpretation } });
    const width = cond.shape[2]!;
    expect(cond.shape).toEqual([1, tokens, width]);
    const kept = Float32Array.from(
      rows.flatMap((row) => [...cond.data.subarray(row * width, (row + 1) * width)]),
    );
    const label = `${text.slice(0, 30)} ${normalization} ${interpretation}`;
    const own = tensor([1, rows.length, width], kept);
    expect(relativeRms(own, golden(`${index}.rows`)), label).toBeLessThan(1e-5);
    expect(relativeRms(pooled!, golden(`${index}.pooled`)), label).toBeLessThan(1e-5);
  }
});
