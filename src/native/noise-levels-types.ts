/** The addon's schedules. */

/** ComfyUI's nine schedulers, by name. */
export type SchedulerName =
  | 'simple'
  | 'sgm_uniform'
  | 'karras'
  | 'exponential'
  | 'ddim_uniform'
  | 'beta'
  | 'normal'
  | 'linear_quadratic'
  | 'kl_optimal';

/**
 * Which sigma belongs to which timestep, as the model was trained (ComfyUI comfy/model_sampling.py). Sigmas fall from
 * `sigmaMax` to `sigmaMin` while timesteps fall from the last to 0; values are float32, as in torch.
 */
export interface NoiseLevels {
  /** What they were made with: all that an addon needs to make the same. */
  readonly description: readonly (string | number | boolean)[];
  /** The table in rising order: a discrete model's own, or 1000 of a continuous one. A copy. */
  readonly sigmas: Float32Array;
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** The timestep that the network is told for `sigma`: the nearest whole one (discrete), or a continuous function. */
  sigmaToTimestep(sigma: number): number;
  timestepToSigma(timestep: number): number;
  /** The sigma at a share of the way from pure noise: 999999999.9 (a flow's: 1) from 0 down, 0 from 1 up. */
  percentToSigma(percent: number): number;
  /** The sigmas that `scheduler` visits in `steps` steps (1 to 10 000), in falling order, most ending in 0. */
  schedule(scheduler: SchedulerName, steps: number): Float32Array;
  /**
   * The sigmas that `KSampler` visits for `denoise` in [0, 1]: the last `steps` + 1 of a schedule of `steps / denoise`
   * steps, none for 0. Some samplers leave out the sigma before the last (`discardPenultimate`).
   */
  kSamplerSchedule(
    scheduler: SchedulerName,
    steps: number,
    denoise: number,
    discardPenultimate: boolean,
  ): Float32Array;
  /** `BetaSamplingScheduler`: timesteps at the quantiles of a beta distribution with parameters above 0. */
  betaSchedule(steps: number, alpha: number, beta: number): Float32Array;
}

export interface NoiseLevelsConstructor {
  new (
    kind: 'discrete' | 'distilled',
    linearStart: number,
    linearEnd: number,
    zeroTerminalSnr: boolean,
  ): NoiseLevels;
  /** `flow` is a rectified flow's 1000 levels s·t/(1 + (s − 1)·t), whose timestep is sigma · multiplier. */
  new (
    kind: 'continuous_edm' | 'continuous_v' | 'cosmos_rflow' | 'flow',
    sigmaMinOrShift: number,
    sigmaMaxOrMultiplier: number,
  ): NoiseLevels;
  /** A flow's 10,000 levels e^mu/(e^mu + 1/t − 1); its timestep is sigma. */
  new (kind: 'flux', mu: number): NoiseLevels;
}
