import type { ProgramCache } from '../programs/program-cache.js';
import { patched } from '../weights/patched.js';
import type { Network } from './denoiser.js';
import type { DiffusionModel } from './diffusion-model.js';
import { plainGuidance } from './guidance.js';

/** What a family reads off a checkpoint. */
export interface DiffusionModelParts extends Pick<
  DiffusionModel,
  'family' | 'inputs' | 'latentFormat' | 'sampling' | 'weights' | 'loraNames' | 'keepsLatentClean'
> {
  readonly network: Network;
}

type Changeable = Pick<DiffusionModel, 'guidance' | 'changes'>;

/** The model of these parts; its network is loaded by `programs` when it first predicts. */
export function createDiffusionModel(
  parts: DiffusionModelParts,
  programs: ProgramCache,
  { guidance, changes }: Changeable = { guidance: plainGuidance, changes: [] },
): DiffusionModel {
  const { network, ...described } = parts;
  const { weights, sampling } = parts;
  const denoiser = network.open(weights, changes, programs);
  const other = (otherParts: Partial<DiffusionModelParts>, otherChanges: Partial<Changeable> = {}) =>
    createDiffusionModel({ ...parts, ...otherParts }, programs, { guidance, changes, ...otherChanges });
  return {
    ...described,
    guidance,
    changes,
    identity: [weights.identity, sampling.identity, guidance.identity, JSON.stringify(changes)].join('~'),
    predict: (evaluation) => denoiser.predict(evaluation),
    sample: async (device) => denoiser.sample?.(device, sampling),
    withPatches: (patches) => other({ weights: patched(weights, patches) }),
    withSampling: (next) => other({ sampling: next }),
    withGuidance: (next) => other({}, { guidance: next }),
    withChanges: (next) => other({}, { changes: next }),
    withLatentFormat: (next) => other({ latentFormat: next }),
  };
}
