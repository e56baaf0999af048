import type { Adapter, AdapterReader } from './adapters/adapter.js';
import { differenceOf, replacementBy } from './adapters/direct.js';
import { readGloraAdapter } from './adapters/glora.js';
import { readLohaAdapter } from './adapters/loha.js';
import { readLokrAdapter } from './adapters/lokr.js';
import { readLoraAdapter } from './adapters/lora.js';
import { readBoftAdapter, readOftAdapter } from './adapters/oft.js';
import type { LoraKeyMap, LoraTarget } from './key-map.js';
import type { LoraFile } from './lora-file.js';

/** Where several kinds claim one prefix, the last counts, as in ComfyUI's load_lora. */
const adapterReaders: readonly AdapterReader[] = [
  readLoraAdapter,
  readLohaAdapter,
  readLokrAdapter,
  readGloraAdapter,
  readOftAdapter,
  readBoftAdapter,
];

/** A change to one weight, and the prefix of the keys that describe it. */
export interface Change {
  readonly prefix: string;
  readonly target: LoraTarget;
  readonly adapter: Adapter;
}

/**
 * The changes that a file describes for the prefixes of `keyMap`, at most one a weight or part of one (ComfyUI comfy/lora.py, load_lora).
 * Throws `ModelError` when half of a pair of factors is missing.
 */
export function readChanges(file: LoraFile, keyMap: LoraKeyMap): Iterable<Change> {
  const changes = new Map<string, Change>();
  const add = (prefix: string, target: LoraTarget, adapter: Adapter): void => {
    const { encoder = '', key, rows } = target;
    changes.set(`${encoder} ${key} ${rows?.start ?? ''}`, { prefix, target, adapter });
  };
  for (const [prefix, target] of keyMap) {
    const alpha = file.scalar(`${prefix}.alpha`);
    const doraScale = file.find(`${prefix}.dora_scale`);
    for (const read of adapterReaders) {
      const adapter = read(file, prefix, { alpha, doraScale });
      if (adapter !== undefined) add(prefix, target, adapter);
    }
    const bias = { ...target, key: target.key.replace(/\.weight$/, '.bias') };
    const norm = file.find(`${prefix}.w_norm`);
    if (norm !== undefined) {
      add(prefix, target, differenceOf(norm));
      const normBias = file.find(`${prefix}.b_norm`);
      if (normBias !== undefined) add(prefix, bias, differenceOf(normBias));
    }
    const difference = file.find(`${prefix}.diff`);
    if (difference !== undefined) add(prefix, target, differenceOf(difference));
    const biasDifference = file.find(`${prefix}.diff_b`);
    if (biasDifference !== undefined) add(prefix, bias, differenceOf(biasDifference));
    const replacement = file.find(`${prefix}.set_weight`);
    if (replacement !== undefined) add(prefix, target, replacementBy(replacement));
  }
  return changes.values();
}
