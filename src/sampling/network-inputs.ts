/** A network's inputs, cut to areas, repeated over a batch and joined with others' (ComfyUI comfy/conds.py). */
import { tensor, type Tensor } from '../compute/tensor.js';
import { cropLatent } from '../imaging/planes.js';
import { concatRows, repeatRows, resizeBatch, takeRows } from '../imaging/tensor-ops.js';
import { inputKind } from '../models/denoiser/denoiser-input.js';
import type { InputKind, NetworkInputs } from '../models/denoiser/network-inputs.js';
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import type { LatentArea } from './masks.js';

/** The most that shorter tokens are repeated to share a batch with longer ones. */
const mostRepeats = 4;

type Inputs = Pick<DiffusionModel, 'inputs'>;

/** Inputs for `rows` rows of the part of the latent in `area`, or of its whole. */
export function fitInputs(
  { inputs }: Inputs,
  given: NetworkInputs,
  rows: number,
  area: LatentArea | undefined,
): NetworkInputs {
  return mapInputs(given, (value, name) => {
    if (inputKind(inputs, name) === 'constant') return value;
    const isCut = area !== undefined && inputKind(inputs, name) === 'picture';
    return resizeBatch(isCut ? cropLatent(value, area) : value, rows);
  });
}

/** Whether both can be part of one evaluation. */
export function inputsShareBatch({ inputs }: Inputs, a: NetworkInputs, b: NetworkInputs): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [one, other] = [a[name]!, b[name]];
      return other !== undefined && shareBatch[inputKind(inputs, name)](one, other);
    })
  );
}

/** Inputs that share a batch as one, in their order. */
export function joinInputs({ inputs }: Inputs, given: readonly NetworkInputs[]): NetworkInputs {
  return mapInputs(given[0] ?? {}, (_, name) => {
    const values = given.map((each) => each[name]!);
    const kind = inputKind(inputs, name);
    if (kind === 'constant') return values[0]!;
    return joinRows(kind === 'tokens' ? toCommonLength(values) : values);
  });
}

/** One batch after the other. */
export function joinRows(values: readonly Tensor[]): Tensor {
  return values.reduce(concatRows);
}

function mapInputs(given: NetworkInputs, map: (value: Tensor, name: string) => Tensor): NetworkInputs {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, map(value, name)]));
}

const shareBatch: Readonly<Record<InputKind, (a: Tensor, b: Tensor) => boolean>> = {
  rows: sameShape,
  picture: sameShape,
  tokens: tokensShareBatch,
  constant: (a, b) => a.data.join() === b.data.join(),
};

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.shape.join() === b.shape.join();
}

/** ComfyUI comfy/conds.py, CONDCrossAttn.can_concat. */
function tokensShareBatch(a: Tensor, b: Tensor): boolean {
  if (a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[2]) return false;
  const [tokensA = 1, tokensB = 1] = [a.shape[1], b.shape[1]];
  return leastCommonMultiple(tokensA, tokensB) / Math.min(tokensA, tokensB) <= mostRepeats;
}

function toCommonLength(values: readonly Tensor[]): Tensor[] {
  const tokens = values.map(({ shape }) => shape[1]!).reduce(leastCommonMultiple);
  return values.map((value) => repeatTokens(value, tokens));
}

/** Tokens repeated to `tokens`; attention over repeated keys and values is the same as over one of each. */
function repeatTokens(value: Tensor, tokens: number): Tensor {
  const [rows = 1, length = 1, channels = 1] = value.shape;
  if (length === tokens) return value;
  const repeated = Array.from({ length: rows }, (_, row) => {
    const sequence = takeRows(value, row, 1);
    return tensor([1, tokens, channels], repeatRows(sequence, tokens / length).data);
  });
  return joinRows(repeated);
}

function leastCommonMultiple(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest !== 0) [divisor, rest] = [rest, divisor % rest];
  return (a / divisor) * b;
}
