/**
 * Where between two steps a schedule lies on the way from a model's noisiest level to its least noisy one, which is how ConditioningSetTimestepRange
 * counts. Exact for Stable Diffusion's noise levels (betas from 0.00085 to 0.012, evenly spaced roots, 1000 of them).
 */

export interface StepSpacing {
  /** `scheduler` of KSampler. */
  readonly scheduler: string | undefined;
  /** Of the whole schedule. */
  readonly steps: number;
  /** The first that is done. */
  readonly firstStep: number;
}

const LEVELS = noiseLevels();
const [LOWEST, HIGHEST] = [LEVELS[0]!, LEVELS.at(-1)!];

/** The share of the way, 0 to 1, halfway between the steps `step` and `step` + 1 of those that are done, counted from 0. */
export function shareAfterStep({ scheduler, steps, firstStep }: StepSpacing, step: number): number {
  const at = (firstStep + step + 0.5) / Math.max(1, steps - 1);
  if (at >= 1) return 1;
  switch (scheduler) {
    case 'karras': {
      const root = (sigma: number) => sigma ** (1 / 7);
      return shareOf((root(HIGHEST) + at * (root(LOWEST) - root(HIGHEST))) ** 7);
    }
    case 'exponential':
      return shareOf(HIGHEST * (LOWEST / HIGHEST) ** at);
    default:
      return at;
  }
}

function shareOf(sigma: number): number {
  const above = LEVELS.findIndex((level) => level >= sigma);
  if (above <= 0) return above === 0 ? 1 : 0;
  const [low, high] = [Math.log(LEVELS[above - 1]!), Math.log(LEVELS[above]!)];
  const timestep = above - 1 + (Math.log(sigma) - low) / (high - low);
  return 1 - timestep / (LEVELS.length - 1);
}

function noiseLevels(): readonly number[] {
  const [first, last] = [Math.sqrt(0.00085), Math.sqrt(0.012)];
  let kept = 1;
  return Array.from({ length: 1000 }, (_, index) => {
    kept *= 1 - (first + (index / 999) * (last - first)) ** 2;
    return Math.sqrt((1 - kept) / kept);
  });
}
