/** Layers of autoencoders of films, on frames one by one: what a layer looks back on, it gets from the frames before (ComfyUI comfy/ldm/wan/vae.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { ModelError } from '../../model-error.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { rowSlice } from '../../weights/weight-views.js';
import { tapWeight } from './tap-weight.js';

/** Where in a film a graph's frames are: the first, and perhaps the only one, or a group behind it. */
export type FilmPlace = 'only' | 'first' | 'later';

/** What begins the name of an output that is the next group's input. */
export const next = 'next ';

/** Frames that a causal convolution looks back on. */
const lookBack = 2;
/** F.normalize divides by the root of a sum of squares; so small a number keeps empty pixels from dividing by zero. */
const emptyPixel = 1e-30;

export class CausalLayers {
  readonly graph: GraphBuilder;

  constructor(
    name: string,
    readonly weights: WeightSource,
    readonly place: FilmPlace,
  ) {
    this.graph = new GraphBuilder(name, { range: 'wide' });
  }

  /** Frames 1×C×H×W each. */
  inputs(name: string, count: number, channels: number): Value[] {
    return Array.from({ length: count }, (_, index) =>
      this.graph.input(`${name} ${index}`, [1, channels, SymbolicDim.symbol('H'), SymbolicDim.symbol('W')]),
    );
  }

  build(name: string, frames: readonly Value[]): Graph {
    frames.forEach((frame, index) => {
      this.graph.output(`${name} ${index}`, frame);
    });
    return this.graph.build();
  }

  /** A convolution over three frames (or one), the last of them its own place; `rows` of its channels alone. */
  conv3d(
    frames: readonly Value[],
    path: string,
    rows?: { readonly start: number; readonly count: number },
  ): Value[] {
    const { shape } = this.weight(`${path}.weight`);
    const [, , taps = 0, side = 0] = shape;
    if (shape.length !== 5 || (taps !== 1 && taps !== lookBack + 1)) {
      throw new ModelError(`${this.weights.path}: ${path}.weight is no convolution over one frame or three`);
    }
    const behind = taps === 1 ? [] : this.recall(frames, path, lookBack);
    const all = [...behind, ...frames];
    return frames.map((_, index) =>
      this.convolve(
        all.slice(Math.max(0, behind.length + index + 1 - taps), behind.length + index + 1),
        path,
        {
          padding: (side - 1) / 2,
          rows,
        },
      ),
    );
  }

  /** A convolution whose channels are those of two frames: each becomes two; the film's first has neither past nor second frame. */
  doubleFrames(frames: readonly Value[], path: string): Value[] {
    if (this.place !== 'later') return [...frames];
    const count = this.weight(`${path}.weight`).shape[0]! / 2;
    const behind = this.recall(frames, path, lookBack);
    const all = [...behind, ...frames];
    return frames.flatMap((_, index) =>
      [0, count].map((start) =>
        this.convolve(all.slice(index, index + lookBack + 1), path, { padding: 0, rows: { start, count } }),
      ),
    );
  }

  /** Every two frames become one, with what was before them; the film's first stays alone. */
  halveFrames(frames: readonly Value[], path: string): Value[] {
    const behind = this.recall(frames, path, 1);
    if (this.place !== 'later') return [...frames];
    const all = [...behind, ...frames];
    return Array.from({ length: Math.floor(frames.length / 2) }, (_, pair) =>
      this.convolve(all.slice(2 * pair, 2 * pair + lookBack + 1), path, { padding: 0 }),
    );
  }

  conv2d(
    frames: readonly Value[],
    path: string,
    options: {
      readonly stride?: number;
      readonly padding: number | readonly [number, number, number, number];
    },
  ): Value[] {
    const weight = this.weight(`${path}.weight`);
    const bias = this.weight(`${path}.bias`);
    return frames.map((frame) =>
      this.graph.within(path, () => this.graph.conv2d(frame, weight, bias, options)),
    );
  }

  /** Each pixel's channels at the length √C, times `gamma`. */
  rmsNorm(frames: readonly Value[], path: string): Value[] {
    const { graph } = this;
    const gamma = this.weight(`${path}.gamma`);
    const weight = { ...gamma, shape: [gamma.shape[0]!] };
    return frames.map((frame) =>
      graph.within(path, () =>
        graph.tokensToSpatial(
          graph.rmsNorm(graph.spatialToTokens(frame), weight, { epsilon: emptyPixel }),
          frame,
        ),
      ),
    );
  }

  silu(frames: readonly Value[]): Value[] {
    return frames.map((frame) => this.graph.activation(frame, 'silu'));
  }

  add(a: readonly Value[], b: readonly Value[]): Value[] {
    return a.map((frame, index) => this.graph.add(frame, b[index]!));
  }

  has(key: string): boolean {
    return this.weights.has(key);
  }

  weight(key: string) {
    return this.weights.weight(key);
  }

  /** The frames before these, which are inputs, and outputs for the next group: the last ones now. What is missing there is zero. */
  private recall(frames: readonly Value[], path: string, count: number): readonly Value[] {
    if (this.place === 'only') return [];
    const names = Array.from({ length: count }, (_, index) => `${path} ${index}`);
    const { shape } = frames[0]!;
    const behind = this.place === 'first' ? [] : names.map((name) => this.graph.input(name, shape));
    const all = [...behind, ...frames];
    names.forEach((name, index) => {
      const frame = all[all.length - count + index];
      if (frame !== undefined) this.graph.output(`${next}${name}`, frame);
    });
    return behind;
  }

  /** Of fewer frames than the kernel is long, those that are missing are zero. */
  private convolve(
    frames: readonly Value[],
    path: string,
    {
      padding,
      rows,
    }: {
      readonly padding: number;
      readonly rows?: { readonly start: number; readonly count: number } | undefined;
    },
  ): Value {
    const { graph } = this;
    const whole = this.weight(`${path}.weight`);
    const own = rows === undefined ? whole : rowSlice(whole, rows.start, rows.count);
    const weight = this.taps(own, frames.length);
    const bias = this.weight(`${path}.bias`);
    const ownBias = rows === undefined ? bias : rowSlice(bias, rows.start, rows.count);
    return graph.within(path, () => {
      const x = frames.length === 1 ? frames[0]! : graph.concat(frames, 1);
      return graph.conv2d(x, weight, ownBias, { padding });
    });
  }

  private readonly known = new Map<string, ReturnType<typeof tapWeight>>();

  /** The same weight for every frame, so that it is held once. */
  private taps(weight: ReturnType<typeof rowSlice>, frames: number) {
    const key = `${weight.name} ${frames}`;
    const found = this.known.get(key) ?? tapWeight(weight, frames);
    this.known.set(key, found);
    return found;
  }
}
