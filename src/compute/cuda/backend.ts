/** Runs graphs on an NVIDIA card: lowered once for each size that comes, by our own kernels and, where it is there, cuBLASLt. */
import type { CudaAddon, CudaDevice, CudaModel } from '../../native/cuda-addon.js';
import type { Backend, NamedTensors, Program } from '../backend.js';
import { SymbolicDim, type DimBindings } from '../dim.js';
import type { Graph } from '../graph.js';
import type { GraphSampled, GraphSampling } from '../graph-sampling.js';
import { checkInputs } from '../onnx/inputs.js';
import { tensor, type Tensor } from '../tensor.js';
import { lossNamed } from './device-lost.js';
import { encodeProgram, encodeWeights } from './encode.js';
import { lowerCuda, lowerForInputs } from './lower.js';
import type { CudaProgram, Precision } from './program.js';
import { sampleOnCard } from './sample.js';

export interface CudaBackendOptions {
  readonly addon: CudaAddon;
  readonly device: CudaDevice;
  /** Told when products of new shapes were measured. */
  readonly onPicks?: (picks: Readonly<Record<string, number>>) => void;
}

/** Graphs that need float32's range are computed in bfloat16, all others in float16; sums are float32. */
export function createCudaBackend(options: CudaBackendOptions): Backend {
  return {
    device: 'cuda',
    async load(graph: Graph): Promise<CudaGraph> {
      const precision: Precision = graph.range === 'wide' ? 'bf16' : 'f16';
      // Weights are the same at all sizes.
      const { weights, weightBytes } = lowerCuda(graph, anySize(graph), { precision });
      const model = new options.addon.CudaModel(options.device, precision);
      const bytes = await lossNamed(model.load(encodeWeights(weights, weightBytes)));
      return new CudaGraph(graph, precision, model, bytes, options);
    },
    availableBytes: () => options.device.freeBytes(),
  };
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
    private readonly precision: Precision,
    readonly model: CudaModel,
    readonly residentBytes: number,
    private readonly options: CudaBackendOptions,
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
    this.tellPicks();
    return Object.fromEntries(
      program.outputs.map(({ name, shape }, index) => [name, tensor(shape, arrays[index])]),
    );
  }

  async sample(inputs: NamedTensors, sampling: GraphSampling): Promise<GraphSampled> {
    checkInputs(this.graph, inputs);
    const { plan, program } = this.prepare(inputs);
    const sampled = await sampleOnCard(this.model, plan, program, inputs, sampling);
    this.tellPicks();
    return sampled;
  }

  private tellPicks(): void {
    const picks = this.options.device.takePicks();
    if (picks !== undefined) this.options.onPicks?.(picks);
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
