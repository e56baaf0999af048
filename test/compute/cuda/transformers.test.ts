/** What keeps transformers from the card: every operation of theirs has a lowering, or is named here and by the notice that says why they run on the CPU. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NamedTensors } from '../../../src/compute/backend.js';
import { lowerForInputs } from '../../../src/compute/cuda/lower.js';
import type { Graph } from '../../../src/compute/graph.js';
import { definitionOf } from '../../../src/compute/operation.js';
import { computedOnCpu } from '../../../src/compute/operations/definition.js';
import { tensor } from '../../../src/compute/tensor.js';
import { UnsupportedOperation } from '../../../src/compute/unsupported.js';
import { recogniseKeys } from '../../support/families.js';
import { fixtureManifest } from '../../support/golden.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-card-families-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function graphOf(name: string): Graph {
  const { denoiser } = recogniseKeys(folder, fixtureManifest(`transformers/${name}-tiny`));
  return denoiser.network.graph(denoiser.weights);
}

function computedElsewhere({ nodes }: Graph): string[] {
  const kinds = new Map(nodes.map(({ operation }) => [operation.kind, definitionOf(operation).cuda]));
  return [...kinds].flatMap(([kind, cuda]) => (cuda === computedOnCpu ? [kind] : [])).sort();
}

it.each([
  ['flux-dev', 'gate modulate rms_norm rotary take_tokens'],
  ['flux2-klein', 'broadcast gate modulate rms_norm rotary take_tokens'],
  ['chroma', 'gate modulate rms_norm rotary slice take_tokens'],
  ['z_image', 'broadcast gate modulate rms_norm rotary take_tokens'],
  ['lumina2', 'broadcast gate modulate rms_norm rotary take_tokens'],
  ['qwen_image', 'gate modulate rms_norm rotary take_tokens'],
  ['sd35-medium', 'broadcast gate modulate rms_norm take_tokens'],
  ['wan21', 'broadcast constant gate modulate rms_norm rotary'],
  ['hidream', 'broadcast gate modulate rms_norm rotary slice take_tokens top_shares'],
  ['auraflow', 'broadcast centre_heads gate modulate rms_norm take_tokens'],
])('%s runs on the CPU for these operations, and says so', (name, lacking) => {
  const graph = graphOf(name);
  expect(computedElsewhere(graph)).toEqual(lacking.split(' '));
  const inputs = graph.inputs.map(({ name: input, value }) => [
    input,
    tensor(value.shape.map((dim) => (typeof dim === 'number' ? dim : 2))),
  ]);
  const lower = () => lowerForInputs(graph, Object.fromEntries(inputs) as NamedTensors);
  expect(lower).toThrow(UnsupportedOperation);
  expect(lower).toThrow(new RegExp(`has no (?:${lacking.replaceAll(' ', '|')}|concat along axis 1) yet`));
});
