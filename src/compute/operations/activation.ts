import type { Activation, EpilogueStep } from '../epilogue.js';
import type { NodeBuilder } from '../node-builder.js';
import type { ChannelMajorContext } from '../lowering/onnx/channel-major-context.js';
import type { PlainContext } from '../lowering/onnx/plain-context.js';
import { KERNEL_ACTIVATION } from '../../native/kernel-numbers.js';
import type { Value } from '../value.js';
import { defineOperation } from './definition.js';
import { ACTIVATION_FLOPS } from './shared/activations.js';

export interface ActivationOperation {
  readonly kind: 'activation';
  readonly x: Value;
  readonly function: Activation;
}

/** CLIP's approximation of gelu, x·σ(1.702·x). */
const QUICK_GELU_ALPHA = 1.702;

function lowerPlain(operation: ActivationOperation, context: PlainContext): string {
  const x = context.name(operation.x);
  switch (operation.function) {
    case 'silu':
      return context.nodeIn('com.microsoft', 'QuickGelu', [x], { alpha: { float: 1 } });
    case 'quick_gelu':
      return context.nodeIn('com.microsoft', 'QuickGelu', [x], { alpha: { float: QUICK_GELU_ALPHA } });
    case 'gelu':
      return context.node('Gelu', [x]);
    case 'gelu_tanh':
      return context.node('Gelu', [x], { approximate: 'tanh' });
    case 'relu':
      return context.node('Relu', [x]);
    case 'sigmoid':
      return context.node('Sigmoid', [x]);
    case 'tanh':
      return context.node('Tanh', [x]);
  }
}

function lowerChannelMajor(operation: ActivationOperation, context: ChannelMajorContext): string {
  const x = context.name(operation.x);
  switch (operation.function) {
    case 'silu':
    case 'quick_gelu':
    case 'gelu':
    case 'gelu_tanh':
      return context.kernel('Activate', [x], { activation: KERNEL_ACTIVATION[operation.function] });
    case 'relu':
      return context.node('Relu', [x]);
    case 'sigmoid':
      return context.node('Sigmoid', [x]);
    case 'tanh':
      return context.node('Tanh', [x]);
  }
}

function asEpilogue({ function: name }: ActivationOperation): EpilogueStep | undefined {
  switch (name) {
    case 'silu':
    case 'quick_gelu':
    case 'gelu':
    case 'gelu_tanh':
      return { part: 'activation', is: name };
    case 'relu':
      return { part: 'slope', is: 0 };
    case 'sigmoid':
    case 'tanh':
      return undefined;
  }
}

export const activation = defineOperation<ActivationOperation>()({
  kind: 'activation',
  operands: { x: true },
  weights: {},
  build: {
    activation: (graph: NodeBuilder<ActivationOperation>, x: Value, name: Activation): Value =>
      graph.emit({ kind: 'activation', x, function: name }, x.shape),
  },
  cost: ({ function: name }, { results }) => ({ flops: results * ACTIVATION_FLOPS[name] }),
  onnx: { plain: lowerPlain, channelMajor: lowerChannelMajor },
  cuda({ x, function: name }, context, { result }) {
    context.emit({ kind: 'activate', x: context.view(x), out: context.place(result), function: name });
  },
  asEpilogue,
});
