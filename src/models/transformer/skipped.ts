import { changesOfKind, type ModelChange, type SkippedBlocks } from '../denoiser/changes.js';

/** Numbers of the blocks that a model's changes leave out, each once, in order. */
export type Skipped = Pick<SkippedBlocks, 'double' | 'single'>;

export function skippedBlocks(changes: readonly ModelChange[]): Skipped {
  const skips = changesOfKind(changes, 'skip-blocks');
  const sorted = (numbers: readonly number[]) => [...new Set(numbers)].sort((a, b) => a - b);
  return {
    double: sorted(skips.flatMap(({ double }) => double)),
    single: sorted(skips.flatMap(({ single }) => single)),
  };
}

export const nothingSkipped: Skipped = { double: [], single: [] };
