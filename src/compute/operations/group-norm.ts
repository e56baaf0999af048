import type { CudaContext, CudaNode } from '../lowering/cuda/context.js';
import { formatShape } from '../dim.js';
import type { Epilogue } from '../epilogue.js';
import { checkVector, type NodeBuilder } from '../node-builder.js';
import type { ChannelMajorContext } from '../lowering/onnx/channel-major-context.js';
import type { PlainContext } from '../lowering/onnx/plain-context.js';
import { UnsupportedOperation } from '../unsupported.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { defineOperation } from './definition.js';
import { NORM_FLOPS, placeScales } from './shared/norms.js';

/** Group normalisation over N×C×H×W (or N×C×T), as torch.nn.GroupNorm. */
export interface GroupNorm {
  readonly kind: 'group_norm';
  readonly x: Value;
  readonly groups: number;
  readonly weight: Weight;
  readonly bias: Weight;
  readonly epsilon: number;
}

/**
 * An instance norm over each group's values, then each channel's scale and shift: ONNX's own GroupNormalization is expanded by
 * ONNX Runtime into the same, less directly.
 */
function lowerPlain(operation: GroupNorm, context: PlainContext): string {
  const { model } = context;
  const x = context.name(operation.x);
  const { groups, weight, bias, epsilon } = operation;
  const ones = model.floats([groups], new Array<number>(groups).fill(1));
  const zeros = model.floats([groups], new Array<number>(groups).fill(0));
  const grouped = context.node('Reshape', [x, model.ints([0, groups, -1])]);
  const normalized = context.node('InstanceNormalization', [grouped, ones, zeros], {
    epsilon: { float: epsilon },
  });
  const whole = context.node('Reshape', [normalized, context.node('Shape', [x])]);
  const perChannel = [1, weight.shape[0]!, ...operation.x.shape.slice(2).map(() => 1)];
  const scale = context.reshaped(weight, perChannel);
  const shift = context.reshaped(bias, perChannel);
  return context.node('Add', [context.node('Mul', [whole, scale]), shift]);
}

/** Of N×T×C, torch takes T for the channels; that axis must come first. */
const TOKENS_FIRST = [2, 1, 0];

function lowerChannelMajor(operation: GroupNorm, context: ChannelMajorContext, epilogue: Epilogue): string {
  const { groups, weight, bias, epsilon, x } = operation;
  const swap = (name: string): string =>
    x.shape.length === 3 ? context.node('Transpose', [name], { perm: TOKENS_FIRST }) : name;
  return swap(
    context.kernel('GroupNorm', [swap(context.name(x))], {
      channels: weight.shape[0]!,
      groups,
      weight: context.weights.vector(weight),
      bias: context.weights.vector(bias),
      epsilon: { float: epsilon },
      silu: epilogue.activation === 'silu' ? 1 : 0,
    }),
  );
}

/** Groups' sums are taken in so many runs of pixels that all multiprocessors have some, and none is short. */
const rowsPerPart = 64;
const mostParts = 128;

function lowerCuda(operation: GroupNorm, context: CudaContext, { result, epilogue }: CudaNode): void {
  const { groups, epsilon } = operation;
  if (operation.x.shape.length !== 4) {
    throw new UnsupportedOperation('the CUDA engine has group norm for images only');
  }
  const scales = placeScales(operation, context);
  const x = context.view(operation.x);
  const [batch, , height, width] = context.extents(operation.x) as [number, number, number, number];
  const parts = Math.min(mostParts, Math.max(1, Math.floor((height * width) / rowsPerPart)));
  context.emit({
    kind: 'group_norm',
    x,
    ...scales,
    batch,
    groups,
    epsilon,
    parts,
    silu: epilogue.activation === 'silu',
    out: context.place(result),
    scratch: context.allocate('float', batch * parts, 2 * groups),
  });
}

export const groupNorm = defineOperation<GroupNorm>()({
  kind: 'group_norm',
  operands: { x: true },
  weights: { weight: true, bias: true },
  build: {
    groupNorm(
      graph: NodeBuilder<GroupNorm>,
      x: Value,
      groups: number,
      weight: Weight,
      bias: Weight,
      epsilon: number,
    ): Value {
      const channels = x.shape[1];
      graph.check(
        typeof channels === 'number' && channels % groups === 0,
        `group_norm needs channels divisible by ${groups}, got ${formatShape(x.shape)}`,
      );
      checkVector(graph, weight, channels, weight);
      checkVector(graph, bias, channels, weight);
      return graph.emit({ kind: 'group_norm', x, groups, weight, bias, epsilon }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: results * NORM_FLOPS }),
  onnx: { plain: lowerPlain, channelMajor: lowerChannelMajor },
  cuda: lowerCuda,
  takes: (_, { activation }, step) =>
    step.part === 'activation' && step.is === 'silu' && activation === undefined,
});
