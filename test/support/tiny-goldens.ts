/** Every network of the tiny checkpoints beside what ComfyUI computed, on any backend. */
import * as networks from '../../bench/cuda/tiny-networks.js';
import type { Backend } from '../../src/compute/backend.js';
import { fixture, tinyCheckpoint } from './golden.js';

export type { Compared, NetworkName } from '../../bench/cuda/tiny-networks.js';

export function tinyNetworks(
  family: 'sd15' | 'sdxl',
  backend: Backend,
): ReturnType<typeof networks.tinyNetworks> {
  const golden = fixture(`golden/${family}-tiny.golden.safetensors`);
  return networks.tinyNetworks({ checkpoint: tinyCheckpoint(family), golden }, backend);
}
