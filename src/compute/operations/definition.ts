/** What is said of an operation, all in one place: `operations/NAME.ts` defines one, `list.ts` lists it. */
import type { CudaContext, CudaNode } from '../lowering/cuda/context.js';
import type { Epilogue, EpilogueStep } from '../epilogue.js';
import type { NodeBuilder } from '../node-builder.js';
import type { ChannelMajorContext } from '../lowering/onnx/channel-major-context.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import type { PlainContext } from '../lowering/onnx/plain-context.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';

export interface AnyOperation {
  readonly kind: string;
}

/** The fields of an operation that hold values (one, several, or perhaps none), or weights. */
type FieldsOf<Op, Held> = {
  [Field in keyof Op]-?: Extract<Op[Field], Held> extends never ? never : Field;
}[keyof Op];

/** Every such field, and no other: TypeScript refuses a table that lacks one. */
type EachField<Op, Held> = Readonly<Record<FieldsOf<Op, Held>, true>>;

/** What a cost is counted with. */
export interface Counting {
  /** Values of the result. */
  readonly results: number;
  readonly count: (value: Value) => number;
  readonly extents: (value: Value) => number[];
}

export interface OperationCost {
  /** A multiplication, an addition, a comparison, a division or a transcendental function is one each. */
  readonly flops: number;
  /** Values that are read: all of all operands when left out. */
  readonly reads?: number;
  /** Values that are written: the result when left out. */
  readonly writes?: number;
}

/** Writes nodes for the operation, and gives the name of the result. `epilogue` is empty where nothing is fused. */
export type OnnxLowering<Op, Context> = (operation: Op, context: Context, epilogue: Epilogue) => string;

/** Emits the instructions that compute the operation and its epilogue. Throws `UnsupportedOperation` for cases it has no kernel for. */
export type CudaLowering<Op> = (operation: Op, context: CudaContext, node: CudaNode) => void;

/** In an operation's `cuda`: its result is the rows of an operand as they are, so nothing is computed. */
export interface SameRows<Op> {
  readonly sameRowsAs: (operation: Op) => Value;
}

/** In an operation's `cuda`: there is no kernel for it, so graphs that have it run on the CPU, with a notice. */
export const computedOnCpu = 'computed on the CPU';

export interface OperationDefinition<Op extends AnyOperation, Builders = unknown> {
  readonly kind: Op['kind'];
  /** The fields that hold values. */
  readonly operands: EachField<Op, Value | readonly Value[]>;
  /** The fields that hold parameters. */
  readonly weights: EachField<Op, Weight>;
  /** Methods of a graph that add the operation: they check shapes and say the result's. */
  readonly build: Builders;
  readonly cost: (operation: Op, counting: Counting) => OperationCost;
  readonly onnx: {
    /** For ONNX Runtime's own operators: what our kernels are compared with. */
    readonly plain: OnnxLowering<Op, PlainContext>;
    /** For our kernels, and ONNX Runtime's where those do. */
    readonly channelMajor: OnnxLowering<Op, ChannelMajorContext>;
  };
  readonly cuda: CudaLowering<Op> | SameRows<Op> | typeof computedOnCpu;
  /** What the operation is as a part of the epilogue of the one that computes `value`; it isn't always, and most never are. */
  readonly asEpilogue?: (operation: Op, value: Value) => EpilogueStep | undefined;
  /** Whether its kernels, with this epilogue already, take that step along, too. None is taken when left out. */
  readonly takes?: (operation: Op, epilogue: Epilogue, step: EpilogueStep) => boolean;
  /** An operand whose parts along the channels its channel-major kernel reads where they lie, instead of joined. */
  readonly readsParts?: (operation: Op) => Value | undefined;
}

/** Of a graph's method: `(x, …) => Value`. */
type Builder<Op> = (graph: NodeBuilder<Op>, ...args: never[]) => Value;

/** Checks a definition, and keeps the types of its builders. */
export function defineOperation<Op extends AnyOperation>() {
  return <Builders extends Readonly<Record<string, Builder<Op>>>>(
    definition: OperationDefinition<Op, Builders>,
  ): OperationDefinition<Op, Builders> => definition;
}

/** One lowering for both orders of axes: what counts no channels, or has its rows and columns last. */
export function inEitherOrder<Op>(lower: OnnxLowering<Op, OnnxContext>): {
  readonly plain: OnnxLowering<Op, OnnxContext>;
  readonly channelMajor: OnnxLowering<Op, OnnxContext>;
} {
  return { plain: lower, channelMajor: lower };
}
