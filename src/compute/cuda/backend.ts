/** Runs graphs on an NVIDIA card: lowered once for each size that comes, by our own kernels and, where it is there, cuBLASLt. */
import type { CudaAddon, CudaDevice, CudaModel, TunedAlgorithms } from '../../native/cuda-addon.js';
import type { Backend, DeviceRunner, NamedTensors, Program } from '../backend.js';
import { checkInputs } from '../check-inputs.js';
import { lossNamed } from '../device-lost.js';
import { SymbolicDim, type DimBindings } from '../dim.js';
import type { Graph } from '../graph.js';
import { tensor, type Tensor } from '../tensor.js';

import { encodeProgram } from './encode.js';
import { encodeWeights, identityOf } from './encode-weights.js';
import { lowerCuda, lowerForInputs } from './lower.js';
import type { CudaProgram, PackedWeight, HalfFormat } from '../lowering/cuda/program.js';

export interface CudaBackendOptions {
  readonly addon: CudaAddon;
  readonly device: CudaDevice;
  /** Told when products of new shapes were measured. */
  readonly onTuned?: (algorithms: TunedAlgorithms) => void;
}

/** Graphs that need float32's range are computed in bfloat16, all others in float16; sums are float32. */
export function createCudaBackend(options: CudaBackendOptions): Backend {
  const loaded = new Set<LoadedModel>();
  return {
    device: 'cuda',
    async load(graph: Graph): Promise<CudaGraph> {
      const precision: HalfFormat = graph.range === 'wide' ? 'bf16' : 'f16';
      // Weights are the same at all sizes.
      const { weights } = lowerCuda(graph, anySize(graph), { precision });
      const model = new options.addon.CudaModel(options.device, precision);
      const identities = new Map<string, number>();
      weights.forEach((weight, index) => {
        const identity = identityOf(weight);
        if (identity !== undefined) identities.set(identity, index);
      });
      const self: LoadedModel = { model, precision, identities };
      const sharing = bestSharing(loaded, self, weights);
      const bytes = await lossNamed(model.load(encodeWeights(weights), sharing?.owner, sharing?.shared));
      loaded.add(self);
      return new CudaGraph(graph, precision, model, bytes, options, () => loaded.delete(self));
    },
    availableBytes: () => options.device.freeBytes(),
  };
}

/** A model whose weights others may share: a LoRA changes some of a model's, and the rest stay where they are. */
interface LoadedModel {
  readonly model: CudaModel;
  readonly precision: HalfFormat;
  /** Numbers of its weights by what they are. */
  readonly identities: ReadonlyMap<string, number>;
}

interface Sharing {
  readonly owner: CudaModel;
  /** For each weight its number there, -1 for none. */
  readonly shared: Int32Array;
  readonly bytes: number;
}

/** The model to share with that saves most; undefined when none has anything. */
function bestSharing(
  models: Iterable<LoadedModel>,
  { precision, identities }: LoadedModel,
  weights: readonly PackedWeight[],
): Sharing | undefined {
  let best: Sharing | undefined;
  for (const owner of models) {
    if (owner.precision !== precision) continue;
    const shared = new Int32Array(weights.length).fill(-1);
    let bytes = 0;
    for (const [identity, index] of identities) {
      const number = owner.identities.get(identity);
      if (number === undefined) continue;
      shared[index] = number;
      bytes += weights[index]!.bytes;
    }
    if (bytes > (best?.bytes ?? 0)) best = { owner: owner.model, shared, bytes };
  }
  return best;
}

interface Prepared {
  readonly plan: number;
  readonly program: CudaProgram;
}

/** A graph whose weights are on the card. */
export class CudaGraph implements Program {
  private readonly prepared = new Map<string, Prepared>();

  constructor(
    private readonly graph: Graph,
    private readonly precision: HalfFormat,
    readonly model: CudaModel,
    readonly residentBytes: number,
    private readonly options: CudaBackendOptions,
    private readonly onDispose: () => void,
  ) {}

  async run(inputs: NamedTensors): Promise<Record<string, Tensor>> {
    checkInputs(this.graph, inputs);
    const { plan, program } = this.prepare(inputs);
    const arrays = await lossNamed(
      this.model.run(
        plan,
        program.inputs.map(({ name }) => inputs[name]!.data),
      ),
    );
    this.tellAlgorithms();
    return Object.fromEntries(
      program.outputs.map(({ name, shape }, index) => [name, tensor(shape, arrays[index])]),
    );
  }

  readonly onDevice: DeviceRunner = async (inputs, loop) => {
    checkInputs(this.graph, inputs);
    const { plan, program } = this.prepare(inputs);
    const names = (ports: readonly { readonly name: string }[]) => ports.map(({ name }) => name);
    const { model } = this;
    const result = await lossNamed(
      loop({ model, plan, inputs: names(program.inputs), outputs: names(program.outputs) }),
    );
    this.tellAlgorithms();
    return result;
  };

  private tellAlgorithms(): void {
    const algorithms = this.options.device.takeAlgorithms();
    if (algorithms !== undefined) this.options.onTuned?.(algorithms);
  }

  /** The program for inputs of these shapes, lowered when they first come. */
  prepare(inputs: NamedTensors): Prepared {
    const key = this.graph.inputs.map(({ name }) => inputs[name]!.shape.join('×')).join(' ');
    const known = this.prepared.get(key);
    if (known !== undefined) return known;
    const program = lowerForInputs(this.graph, inputs, { precision: this.precision });
    const prepared = { program, plan: this.model.prepare(encodeProgram(program)) };
    this.prepared.set(key, prepared);
    return prepared;
  }

  dispose(): Promise<void> {
    this.onDispose();
    return this.model.dispose();
  }
}

/** Extents that every graph can be lowered at: large enough for images to be halved a few times. */
const SOME_EXTENT = 64;

function anySize(graph: Graph): DimBindings {
  const bindings: Record<string, number> = {};
  for (const { value } of graph.inputs) {
    for (const dim of value.shape) if (dim instanceof SymbolicDim) bindings[dim.text] = SOME_EXTENT;
  }
  return bindings;
}
