/** What is simulated: jobs that arrive, the models that they need, and the devices that do them. */
import { z } from 'zod';

const seconds = z.number().min(0);

const model = z.strictObject({
  name: z.string(),
  /** Of the jobs, relative to the other models'. */
  share: z.number().positive().default(1),
  /** As `/metrics`, `status` and `latentd bench` tell them; `step` is one sampling step. */
  stages: z.strictObject({
    loading: seconds,
    encoding: seconds.default(0),
    step: seconds,
    decoding: seconds.default(0),
    finishing: seconds.default(0),
  }),
  steps: z.number().min(1).default(1),
});

export const scenarioSchema = z.strictObject({
  /** Devices, of which each does one job at a time. */
  devices: z.int().min(1).max(100_000),
  jobs: z.int().min(1).max(20_000_000),
  /** Mean over the day. */
  jobsADay: z.number().positive(),
  /** The busiest hour's rate over the mean: a sine of one day. */
  peak: z.number().min(1).max(2).default(1),
  models: z.array(model).min(1).max(1000),
  /** How many models a device keeps in memory. */
  kept: z.int().min(1).default(1),
  /** How much jobs of a model differ: the standard deviation of their work over its mean; `exponential` is 1 of that kind. */
  variation: z.union([z.number().min(0).max(5), z.literal('exponential')]).default(0.3),
  /** `warm`: to a device that has the model, as latentd gives jobs; `any`: to whatever is free. */
  placement: z.enum(['warm', 'any']).default('warm'),
  /** A job that has waited so long goes to the next free device. */
  patience: seconds.default(60),
  /** Mean time between two deaths of a device while it works; nothing dies when left out. */
  hoursBetweenDeaths: z.number().positive().optional(),
  /** Until the job of a dead device is taken over: three heartbeats. */
  takeOver: seconds.default(30),
  /** Until the device itself is back, without a model. */
  restart: seconds.default(10),
  /** Between two jobs of a device: claiming, telling, storing. */
  overhead: seconds.default(0.01),
  /** As KEDA scales on a stream's lag: devices beyond `least` come and go. `devices` is the most. */
  scaling: z
    .strictObject({
      least: z.int().min(0),
      /** Jobs that wait for each device. */
      lag: z.number().positive().default(5),
      interval: seconds.default(30),
      /** From the wish for a device to its first job. */
      start: seconds.default(60),
      /** The wish of so long ago still counts. */
      cooldown: seconds.default(300),
    })
    .optional(),
  /** The share of the jobs at the start that isn't counted. */
  settling: z.number().min(0).max(0.9).default(0.1),
  seed: z.int().default(1),
});

export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type SimulatedModel = Scenario['models'][number];

/** Seconds of work of a job, its model being loaded. */
export function workOf({ stages, steps }: SimulatedModel): number {
  return stages.encoding + stages.step * steps + stages.decoding + stages.finishing;
}
