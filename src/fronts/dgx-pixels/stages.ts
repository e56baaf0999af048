/** The protocol's stages, which are the phases of a job under other names. */
import type { Measure } from '../../jobs/estimates.js';
import type { Phase } from '../../jobs/phases.js';
import type { Stage } from './wire/protocol.js';

export const STAGE_OF_PHASE: Readonly<Record<Phase, Stage>> = {
  preparing: 'initializing',
  loading: 'loading_models',
  encoding: 'encoding',
  sampling: 'sampling',
  decoding: 'decoding',
  finishing: 'post_processing',
};

/** As `status` names what was measured. */
export function stageOfMeasure(measure: Measure): string {
  return measure === 'loading (warm)' ? 'loading_models (warm)' : STAGE_OF_PHASE[measure];
}
