/** The graph of a YOLO network, of the layers that its file lists (ultralytics/nn/tasks.py, BaseModel._predict_once; modules/head.py). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import type { TorchModule } from '../files/torch-file/torch-module.js';
import { PickleTuple, type PickleValue } from '../files/torch-file/values.js';
import { ModelError } from '../model-error.js';
import { valuesOf } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';
import { YoloLayers, type Placed } from './yolo-layers.js';

/** What a head says of its levels, the finest first. */
export interface YoloHead {
  /** Pixels of the picture for a place of each level. */
  readonly strides: readonly number[];
  /** Places at which each side of a box may lie; 16 of all known ones. */
  readonly bins: number;
  readonly classes: number;
  /** Of a network that outlines what it finds: into how many pictures. */
  readonly masks: number;
}

/** Throws `ModelError` for a network that is none of YOLO's that find or outline. */
export function yoloHead(network: TorchModule, weights: WeightSource): YoloHead {
  const placed = lastOf(network, weights);
  const { attributes, children, kind } = placed.module;
  if (kind !== 'Detect' && kind !== 'Segment') {
    throw new ModelError(
      `${weights.path} ends in ${kind.slice(0, 60)}: networks that find (Detect) or outline (Segment) are read`,
    );
  }
  const number = (name: string, least = 1): number => {
    const value = attributes.get(name);
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 65_536)
      return value;
    throw new ModelError(`${weights.path} doesn't say its ${name}`);
  };
  if (attributes.get('end2end') === true || children.has('one2one_cv2')) {
    throw new ModelError(
      `${weights.path} is a YOLO without overlaps (v10, 26), which isn't known: v8, v9 and 11 are`,
    );
  }
  return {
    strides: stridesOf(weights, placed),
    bins: number('reg_max'),
    classes: number('nc'),
    masks: kind === 'Segment' ? number('nm') : 0,
  };
}

/** What is known of networks that enlarge nothing away. */
const COARSEST = 256;

function stridesOf(weights: WeightSource, { module, path }: Placed): readonly number[] {
  const levels = module.children.get('cv2')?.children.size ?? 0;
  const strides = weights.has(`${path}.stride`) ? [...valuesOf(weights.weight(`${path}.stride`))] : [];
  const fit = strides.every((stride) => Number.isInteger(stride) && stride >= 1 && stride <= COARSEST);
  if (levels >= 1 && strides.length === levels && fit) return strides;
  throw new ModelError(`${weights.path} doesn't say the strides of its ${levels} levels`);
}

/** `pixels`, 1×3×H×W of 0 to 1, to `box0`, `score0` and (of one that outlines) `mask0` of each level, and `protos`. */
export function yoloGraph(network: TorchModule, weights: WeightSource): Graph {
  const graph = new GraphBuilder('yolo');
  const layers = new YoloLayers(graph, weights);
  const [height, width] = [SymbolicDim.symbol('height'), SymbolicDim.symbol('width')];
  const pixels = graph.input('pixels', [1, 3, height, width]);
  const steps = stepsOf(network, weights);
  const results: Value[] = [];
  for (const placed of steps) {
    const sources = sourcesOf(placed, weights).map((from) => {
      const at = from < 0 ? results.length + from : from;
      const value = at === -1 ? pixels : results[at];
      if (value === undefined)
        throw new ModelError(`${weights.path}: ${placed.path} takes a layer that isn't there`);
      return value;
    });
    const { kind } = placed.module;
    if (kind === 'Detect' || kind === 'Segment') {
      headOutputs(layers, sources, placed);
      return graph.build();
    }
    if (kind === 'Concat') results.push(graph.concat(sources, 1));
    else if (kind === 'Upsample') {
      const beside = results[besideOf(steps, results.length, weights) ?? -1];
      results.push(layers.enlarged(sources[0]!, placed, beside));
    } else results.push(layers.run(sources[0]!, placed));
  }
  throw new ModelError(`${weights.path} ends without a head`);
}

/** The layer that the result of layer `at` is joined with next, whose size it then has. */
function besideOf(steps: readonly Placed[], at: number, weights: WeightSource): number | undefined {
  const next = steps[at + 1];
  if (next?.module.kind !== 'Concat') return undefined;
  return sourcesOf(next, weights).find((from) => from >= 0 && from < at);
}

function headOutputs(layers: YoloLayers, levels: readonly Value[], placed: Placed): void {
  const { graph } = layers;
  levels.forEach((level, at) => {
    graph.output(`box${at}`, layers.child(level, placed, 'cv2', String(at)));
    graph.output(`score${at}`, layers.child(level, placed, 'cv3', String(at)));
    if (placed.module.kind === 'Segment') {
      graph.output(`mask${at}`, layers.child(level, placed, 'cv4', String(at)));
    }
  });
  if (placed.module.kind !== 'Segment') return;
  const proto = layers.at(placed, 'proto');
  let y = layers.child(levels[0]!, proto, 'cv1');
  for (const name of ['upsample', 'cv2', 'cv3']) y = layers.child(y, proto, name);
  graph.output('protos', y);
}

/** The layers in their order: `model` of the network. */
function stepsOf(network: TorchModule, weights: WeightSource): readonly Placed[] {
  const list = network.children.get('model');
  if (list === undefined)
    throw new ModelError(`${weights.path} is no YOLO network: it has no list of layers`);
  return [...list.children].map(([name, module]) => ({ module, path: `model.${name}` }));
}

function lastOf(network: TorchModule, weights: WeightSource): Placed {
  const last = stepsOf(network, weights).at(-1);
  if (last === undefined) throw new ModelError(`${weights.path} has no layers`);
  return last;
}

/** `f`: the layers that one takes; −1 is the one before. */
function sourcesOf({ module, path }: Placed, weights: WeightSource): readonly number[] {
  const from = module.attributes.get('f');
  const list: readonly PickleValue[] = Array.isArray(from)
    ? (from as readonly PickleValue[])
    : from instanceof PickleTuple
      ? from.items
      : [from ?? null];
  return list.map((value) => {
    if (typeof value === 'number' && Number.isInteger(value)) return value;
    throw new ModelError(`${weights.path}: ${path} doesn't say what it takes`);
  });
}
