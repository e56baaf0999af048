/** Denoised predictions of several prompts at once (ComfyUI comfy/samplers.py, calc_cond_batch). */
import { elementCount, tensor, type Tensor } from '../compute/tensor.js';
import { cropLatent } from '../imaging/planes.js';
import { takeRows } from '../imaging/tensor-ops.js';
import type { Control } from '../models/denoiser/control.js';
import type { RandomSource } from '../models/denoiser/denoiser.js';
import type { NetworkInputs } from '../models/denoiser/network-inputs.js';
import type { Grounding } from '../models/denoiser/grounding.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import type { Condition } from './conditions.js';
import { cropMask, influenceOf, type Influence } from './influence.js';
import { fitInputs, inputsShareBatch, joinInputs, joinRows } from './network-inputs.js';
import { denoisedFrom, networkInput } from './prediction.js';
import { HookedModels } from './hooked-models.js';
import { roomLeft } from './default-conditions.js';
import type { NetworkCache } from './network-cache.js';

/** Keeps the quotient finite where no condition counts. */
const leastWeight = Math.fround(1e-37);

/** One evaluation of the network that is due: a condition on its part of the latent. */
interface Task {
  /** With what the condition's hooks change. */
  readonly model: DiffusionModel;
  /** Which prompt's. */
  readonly prompt: number;
  readonly x: Tensor;
  readonly inputs: NetworkInputs;
  readonly control: Control | undefined;
  readonly influence: Influence;
  readonly condition: Condition;
}

/** What an evaluation of the network has beside its inputs. */
export interface PredictOptions {
  /** For models that draw at each evaluation. */
  readonly random?: RandomSource | undefined;
  /**
   * Told, by a model that records it, how much the tokens of the middle block are attended to (N×T) with a prompt, by its
   * number; the first of its conditions in each evaluation.
   */
  readonly onAttention?: (prompt: number, received: Tensor) => void;
  /** Of this run, for models that leave evaluations out. */
  readonly cache?: NetworkCache<Condition> | undefined;
  /** Of this run, for conditions with hooks. */
  readonly hooked?: HookedModels | undefined;
}

/**
 * The denoised prediction of each prompt for the noised latent `x` (N×C×h×w, or a film's N×C×F×h×w) at `sigma`: the weighted average of those of
 * its conditions that count there, zeros where none does or the prompt is undefined. Conditions of equal shapes share one
 * evaluation of the network.
 */
export async function predictDenoised(
  model: DiffusionModel,
  prompts: readonly (readonly Condition[] | undefined)[],
  x: Tensor,
  sigma: number,
  options: PredictOptions = {},
): Promise<Tensor[]> {
  options.cache?.beginStep();
  const averages = prompts.map(() => new WeightedAverage(x.shape));
  let due = tasksAt(model, prompts, x, sigma, options.hooked ?? new HookedModels(Infinity));
  while (due.length > 0) {
    const first = due[0]!;
    const batch = due.filter((task) => shareBatch(task, first)).reverse();
    due = due.filter((task) => !batch.includes(task));
    const denoised = await evaluate(first.model, batch, sigma, options);
    batch.forEach(({ prompt, influence }, index) => {
      averages[prompt]!.add(denoised[index]!, influence);
    });
  }
  return averages.map((average) => average.result());
}

/**
 * The network's inputs of all prompts as one batch, the last prompt's first, where one evaluation serves every noise level and
 * each prompt's prediction is a part of what comes out; undefined where it takes more than that.
 */
export function commonInputs(
  model: DiffusionModel,
  prompts: readonly (readonly Condition[])[],
  x: Tensor,
): NetworkInputs | undefined {
  const highest = model.sampling.levels.percentToSigma(0);
  const always = ({ sigmas, hooks, grounding, isDefault }: Condition): boolean =>
    sigmas.highest >= highest &&
    sigmas.lowest === 0 &&
    hooks === undefined &&
    grounding === undefined &&
    !isDefault;
  if (!prompts.every((conditions) => conditions.length === 1 && conditions.every(always))) return undefined;
  const tasks = prompts.flat().map((condition, prompt) => taskFor(model, prompt, condition, x));
  const isCommon = (task: Task): boolean =>
    isPlain(task.influence) && task.control === undefined && shareBatch(task, tasks[0]!);
  if (!tasks.every(isCommon)) return undefined;
  return joinInputs(
    model,
    tasks.reverse().map(({ inputs }) => inputs),
  );
}

/** What counts at a noise level, and then what counts by default where the rest leaves room (_calc_cond_batch, finalize_default_conds). */
function tasksAt(
  model: DiffusionModel,
  prompts: readonly (readonly Condition[] | undefined)[],
  x: Tensor,
  sigma: number,
  hooked: HookedModels,
): Task[] {
  const counting = prompts.map((conditions) =>
    (conditions ?? []).filter(({ sigmas }) => sigma <= sigmas.highest && sigma >= sigmas.lowest),
  );
  const grounded = new Map<Grounding, DiffusionModel>();
  const modelOf = ({ hooks, grounding }: Condition): DiffusionModel => {
    const own = hooked.at(model, hooks, sigma);
    if (grounding === undefined) return own;
    const known = grounded.get(grounding) ?? own.withChanges([...own.changes, { kind: 'ground', grounding }]);
    grounded.set(grounding, known);
    return known;
  };
  const tasksOf = (areDefaults: boolean): Task[] =>
    counting.flatMap((conditions, prompt) =>
      conditions
        .filter(({ isDefault }) => isDefault === areDefaults)
        .map((condition) => taskFor(modelOf(condition), prompt, condition, x)),
    );
  const tasks = tasksOf(false);
  const leftBy = (prompt: number): Tensor | undefined =>
    roomLeft(
      x.shape,
      tasks.filter((task) => task.prompt === prompt).map(({ influence }) => influence),
    );
  const defaults = tasksOf(true).flatMap((task) => {
    const room = leftBy(task.prompt);
    if (room === undefined) return [];
    const { area } = task.influence;
    const weights = area === undefined ? room : cropMask(room, area);
    return [{ ...task, influence: { ...task.influence, weights } }];
  });
  return [...tasks, ...defaults];
}

function taskFor(model: DiffusionModel, prompt: number, condition: Condition, x: Tensor): Task {
  const [rows = 1] = x.shape;
  const [height = 1, width = 1] = x.shape.slice(-2);
  const influence = influenceOf(condition, height, width);
  const { area } = influence;
  return {
    model,
    prompt,
    influence,
    condition,
    x: area === undefined ? x : cropLatent(x, area),
    inputs: fitInputs(model, condition.inputs, rows, area),
    control: condition.control,
  };
}

function shareBatch(a: Task, b: Task): boolean {
  return (
    a.model === b.model &&
    a.x.shape.join() === b.x.shape.join() &&
    a.control === b.control &&
    inputsShareBatch(a.model, a.inputs, b.inputs)
  );
}

async function evaluate(
  model: DiffusionModel,
  batch: readonly Task[],
  sigma: number,
  { random, onAttention, cache }: PredictOptions,
): Promise<Tensor[]> {
  const x = joinRows(batch.map((task) => task.x));
  const [rows = 1] = x.shape;
  const rowsEach = rows / batch.length;
  const { sampling } = model;
  const inputs = joinInputs(
    model,
    batch.map((task) => task.inputs),
  );
  const scaled = networkInput(sampling, x, sigma);
  const evaluation = async (): Promise<Tensor> => {
    const control = await batch[0]?.control?.residuals({
      x,
      scaled,
      conditions: batch.length,
      prompts: batch.map(({ prompt }) => prompt),
      sigma,
      sampling,
      inputs,
      weights: model.weights,
    });
    return model.predict({
      x: scaled,
      timesteps: new Float32Array(rows).fill(sampling.levels.sigmaToTimestep(sigma)),
      sigma,
      prompts: batch.map(({ prompt }) => prompt),
      inputs,
      control,
      random,
      onAttention(received) {
        const told = new Set<number>();
        batch.forEach(({ prompt }, index) => {
          if (!told.has(prompt)) onAttention?.(prompt, takeRows(received, index * rowsEach, rowsEach));
          told.add(prompt);
        });
      },
    });
  };
  const keys = batch.map(({ condition }) => condition);
  const output = await (cache?.output(scaled, sigma, keys, evaluation) ?? evaluation());
  const denoised = denoisedFrom(sampling, output, x, sigma);
  return batch.map((_, index) =>
    batch.length === 1 ? denoised : takeRows(denoised, index * rowsEach, rowsEach),
  );
}

/** Σ weight·value / Σ weight, for each place, in float32. */
class WeightedAverage {
  /** Undefined until something is added: one prediction that counts everywhere is returned as it is. */
  private only: Tensor | undefined;
  private sums: Float32Array | undefined;
  private weights: Float32Array | undefined;

  constructor(private readonly shape: readonly number[]) {}

  add(value: Tensor, influence: Influence): void {
    if (this.only === undefined && this.sums === undefined && isPlain(influence)) {
      this.only = value;
      return;
    }
    if (this.only !== undefined) {
      const { only } = this;
      this.only = undefined;
      this.accumulate(only, { constant: 1 });
    }
    this.accumulate(value, influence);
  }

  result(): Tensor {
    if (this.only !== undefined) return this.only;
    const { sums, weights } = this;
    if (sums === undefined || weights === undefined) return tensor(this.shape);
    return tensor(
      this.shape,
      sums.map((sum, index) => sum / weights[index]!),
    );
  }

  private accumulate(value: Tensor, { area, weights, constant }: Influence): void {
    const [rows = 1, ...extents] = this.shape;
    const [height = 1, width = 1] = extents.slice(-2);
    const length = elementCount(this.shape);
    const planesInRow = elementCount(extents.slice(0, -2));
    const sums = (this.sums ??= new Float32Array(length));
    const totals = (this.weights ??= new Float32Array(length).fill(leastWeight));
    const part = area ?? { y: 0, x: 0, height, width };
    const maskRows = weights?.shape[0] ?? 1;
    let from = 0;
    for (let plane = 0; plane < rows * planesInRow; plane++) {
      const maskStart = (Math.floor(plane / planesInRow) % maskRows) * part.height * part.width;
      for (let y = 0; y < part.height; y++) {
        let to = (plane * height + part.y + y) * width + part.x;
        for (let x = 0; x < part.width; x++, from++, to++) {
          const weight = weights === undefined ? constant : weights.data[maskStart + y * part.width + x]!;
          sums[to]! += Math.fround(value.data[from]! * weight);
          totals[to]! += weight;
        }
      }
    }
  }
}

function isPlain({ area, weights, constant }: Influence): boolean {
  return area === undefined && weights === undefined && constant === 1;
}
