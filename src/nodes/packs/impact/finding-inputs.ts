/** What nodes that find parts of pictures are told. */
import { float, int } from '../../public.js';

export const share = (initial: number, tooltip: string) =>
  float({ default: initial, min: 0, max: 1, step: 0.01, tooltip });
export const growth = (initial: number) =>
  int({ default: initial, min: -512, max: 512, step: 1, tooltip: 'Pixels by which masks grow.' });
const LARGEST = 16384;

export const threshold = share(0.5, 'The least confidence of what is found.');
export const dropSize = int({
  default: 10,
  min: 1,
  max: LARGEST,
  step: 1,
  tooltip: 'What is no larger than this is left out.',
});
export const cropFactor = (max: number) =>
  float({
    default: 3,
    min: 1,
    max,
    step: 0.1,
    tooltip: 'How much larger than what was found the region around it is.',
  });
