/** Lowers a graph to a CUDA program: instructions in the graph's order, views of buffers, and the arena's plan. */
import type { NamedTensors } from '../backend.js';
import { bindDims } from '../cost.js';
import { evaluateDim, type DimBindings } from '../dim.js';
import { lastOf, type Fusion } from '../fusion.js';
import type { Graph, GraphInput } from '../graph.js';
import { definitionOf } from '../operation.js';
import { elementCount } from '../tensor.js';
import { UnsupportedOperation } from '../unsupported.js';
import type { Value } from '../value.js';
import { channels, type CudaContext, type SiblingLayer } from '../lowering/cuda/context.js';
import { planMemory } from './memory-plan.js';
import {
  columnsOf,
  ELEMENT_BYTES,
  padded,
  touched,
  type Buffer,
  type CudaProgram,
  type Element,
  type Instruction,
  type PortShape,
  type HalfFormat,
  type View,
} from '../lowering/cuda/program.js';
import { structureOf, type Structure } from './structure.js';
import { PackedWeights } from '../lowering/cuda/weights.js';

export interface LoweringOptions {
  readonly precision?: HalfFormat;
}

/**
 * Throws `UnsupportedOperation` for a graph that must run elsewhere, and `RangeError` for a symbol that `bindings` lacks. The
 * weights are the same, in the same places, at all extents.
 */
export function lowerCuda(graph: Graph, bindings: DimBindings, options: LoweringOptions = {}): CudaProgram {
  const lowering = new Lowering(structureOf(graph), bindings);
  return lowering.program(options.precision ?? 'f16');
}

/** Lowers a graph for inputs of these shapes. */
export function lowerForInputs(
  graph: Graph,
  inputs: NamedTensors,
  options: LoweringOptions = {},
): CudaProgram {
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
  return lowerCuda(graph, bindDims(graph, shapes), options);
}

/** Views of values, weights, and the instructions so far. */
class Lowering implements CudaContext {
  readonly weights = new PackedWeights();
  private readonly instructions: Instruction[] = [];
  private readonly layers: string[] = [];
  private readonly sizes: { readonly element: Element; readonly bytes: number }[] = [];
  private readonly views = new Map<number, View>();
  private layer = '';

  constructor(
    private readonly structure: Structure,
    private readonly bindings: DimBindings,
  ) {}

  program(precision: HalfFormat): CudaProgram {
    const { graph, fusions } = this.structure;
    for (const input of graph.inputs) this.import(input);
    for (const node of graph.nodes) {
      const fusion = fusions.get(node)!;
      if (node === lastOf(fusion)) this.lower(fusion);
    }
    this.layer = '';
    for (const { name, value } of graph.outputs) {
      this.emit({ kind: 'export', name, x: this.view(value), pixels: this.pixels(value) });
    }
    const buffers = this.placeBuffers();
    return {
      name: graph.name,
      precision,
      inputs: graph.inputs.map((port) => this.port(port)),
      outputs: graph.outputs.map((port) => this.port(port)),
      instructions: this.instructions,
      layers: this.layers,
      ...buffers,
      weights: this.weights.entries,
      weightBytes: this.weights.bytes,
    };
  }

  emit(instruction: Instruction): void {
    this.instructions.push(instruction);
    this.layers.push(this.layer);
  }

  view(value: Value): View {
    const view = this.views.get(value.id);
    if (view === undefined) throw new Error(`value ${value.id} is used before it is made`);
    return view;
  }

  place(value: Value): View {
    const known = this.views.get(value.id);
    if (known !== undefined) return known;
    const slice = this.structure.slices.get(value.id);
    const view =
      slice === undefined
        ? this.allocate(value.dtype === 'int32' ? 'int' : 'half', this.rows(value), channels(value))
        : columnsOf(this.place(slice.whole), slice.column, channels(value));
    this.views.set(value.id, view);
    return view;
  }

  bind(value: Value, view: View): void {
    this.views.set(value.id, view);
  }

  allocate(element: Element, rows: number, columns: number): View {
    const stride = element === 'half' ? padded(columns) : columns;
    const buffer = this.sizes.push({ element, bytes: rows * stride * ELEMENT_BYTES[element] }) - 1;
    return { buffer, element, rows, columns, stride, offset: 0 };
  }

  extents(value: Value): number[] {
    return value.shape.map((dim) => evaluateDim(dim, this.bindings));
  }

  rows(value: Value): number {
    const extents = this.extents(value);
    return extents.length === 1 ? extents[0]! : elementCount(extents) / channels(value);
  }

  siblings(output: Value): readonly SiblingLayer[] | undefined {
    return this.structure.siblings.get(output.id);
  }

  smallSource(enlarged: Value): Value | undefined {
    const small = this.structure.enlarged.get(enlarged.id);
    if (small === undefined) return undefined;
    const [, , height, width] = this.extents(small) as [number, number, number, number];
    const [, , outHeight, outWidth] = this.extents(enlarged) as [number, number, number, number];
    return isPowerOfTwo(outHeight / height) && isPowerOfTwo(outWidth / width) ? small : undefined;
  }

  /** Pixels of an image; 1 for what is rows already. */
  private pixels(value: Value): number {
    const extents = this.extents(value);
    return extents.length === 4 ? extents[2]! * extents[3]! : 1;
  }

  private import({ name, value }: GraphInput): void {
    this.emit({ kind: 'import', name, out: this.place(value), pixels: this.pixels(value) });
  }

  private port({ name, value }: GraphInput): PortShape {
    return { name, shape: this.extents(value), element: value.dtype === 'int32' ? 'int' : 'float' };
  }

  private lower(fusion: Fusion): void {
    const [{ layer, operation, output }] = fusion.nodes;
    this.layer = layer;
    const { cuda, kind } = definitionOf(operation);
    if (typeof cuda !== 'function') throw new UnsupportedOperation(`the CUDA engine has no ${kind} yet`);
    cuda(operation, this, { output, result: lastOf(fusion).output, epilogue: fusion.epilogue });
  }

  private placeBuffers(): { readonly buffers: readonly Buffer[]; readonly arenaBytes: number } {
    const lifetimes = this.sizes.map((size) => ({ ...size, from: Infinity, to: -1 }));
    this.instructions.forEach((instruction, time) => {
      const { reads, writes } = touched(instruction);
      for (const { buffer } of [...reads, ...writes]) {
        const lifetime = lifetimes[buffer]!;
        lifetime.from = Math.min(lifetime.from, time);
        lifetime.to = Math.max(lifetime.to, time);
      }
    });
    const plan = planMemory(lifetimes);
    return {
      buffers: lifetimes.map((lifetime, index) => ({ ...lifetime, offset: plan.offsets[index]! })),
      arenaBytes: plan.bytes,
    };
  }
}

function isPowerOfTwo(factor: number): boolean {
  return Number.isInteger(Math.log2(factor));
}
