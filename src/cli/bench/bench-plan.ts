/** Which cases to measure, and how often. */
import type { BenchCase } from '../../bench/case.js';
import {
  expandMatrix,
  parseMatrix,
  readBatch,
  readCount,
  readExtent,
  readSampler,
  readScheduler,
} from '../../bench/matrix.js';
import type { ResolvedSettings } from '../../config/resolve-settings.js';
import { completeName, type Folders } from '../../models/folders/folders.js';
import type { BenchFlags } from './flags.js';
import { UsageError } from '../exit-codes.js';
import { checkpointUse } from '../../engine/available-checkpoint.js';

export interface BenchPlan {
  readonly cases: readonly BenchCase[];
  readonly cold: number;
  readonly warmup: number;
  readonly repeats: number;
  /** Where a trace goes. */
  readonly profile: string | undefined;
}

/** Throws `CaseError` and `UsageError` for what can't be measured, `ModelError` for a checkpoint that isn't there. */
export function readPlan(options: BenchFlags, folders: Folders, settings: ResolvedSettings): BenchPlan {
  const given = <Value>(text: string | undefined, otherwise: Value, read: (text: string) => Value): Value =>
    text === undefined ? otherwise : read(text);
  const axes = parseMatrix(options.matrix ?? []);
  const swept = axes.some((axis) => axis.some(({ checkpoint }) => checkpoint !== undefined));
  const base: BenchCase = {
    checkpoint: swept ? '' : chooseCheckpoint(options.checkpoint, folders, settings),
    width: given(options.width, 512, (text) => readExtent(text, '--width')),
    height: given(options.height, 512, (text) => readExtent(text, '--height')),
    batch: given(options.batch, 1, (text) => readBatch(text, '--batch')),
    steps: given(options.steps, 8, (text) => readCount(text, '--steps')),
    sampler: given(options.sampler, 'euler', (text) => readSampler(text, '--sampler')),
    scheduler: given(options.scheduler, 'normal', (text) => readScheduler(text, '--scheduler')),
  };
  const cases = expandMatrix(base, axes).map((one) =>
    swept ? { ...one, checkpoint: chooseCheckpoint(one.checkpoint, folders, settings) } : one,
  );
  return {
    cases,
    cold: given(options.cold, 3, (text) => readCount(text, '--cold', 1, 1000)),
    warmup: given(options.warmup, 1, (text) => readCount(text, '--warmup', 0, 1000)),
    repeats: given(options.repeats, 5, (text) => readCount(text, '--repeats', 1, 1000)),
    profile: options.profile,
  };
}

/** The checkpoint called `name`, or the first one that draws from text alone. */
function chooseCheckpoint(name: string | undefined, folders: Folders, settings: ResolvedSettings): string {
  const listed = folders.list('checkpoints');
  if (name !== undefined) {
    const found = completeName(listed, name);
    // Says what is there instead.
    if (found === undefined) folders.resolve('checkpoints', name);
    return found ?? name;
  }
  const first = listed.find((each) => checkpointUse(folders, each)?.drawsFromText === true);
  if (first !== undefined) return first;
  throw new UsageError(
    `there is no checkpoint to measure in ${settings.models.value}/checkpoints: put one there or name its folder with --models; ` +
      '`latentd run sprite_optimized` without --models puts the starter model into ./models, which `latentd bench` then measures',
  );
}
