/** Runs graphs with ONNX Runtime on the CPU: its session, memory and threads, our kernels where the time goes. */
import { availableParallelism } from 'node:os';
import { OnnxSession, type OnnxSessionOptions } from '../../native/addon.js';
import type { Backend, NamedTensors, Program } from '../backend.js';
import { checkInputs } from '../check-inputs.js';
import type { Graph } from '../graph.js';
import type { Tensor } from '../tensor.js';
import { runtimeLibrary } from './runtime-library.js';
import { lowerChannelMajor } from './channel-major/lower.js';

/**
 * `threads` are as many as there are processors when left out. A profile is written for each program when it is disposed of.
 * `precision` counts for graphs that may be rounded; others are computed in fp32 in any case.
 */
export type OnnxBackendOptions = Partial<OnnxSessionOptions>;

/** A loaded graph runs at every size that its symbolic extents can take, and off the main thread. */
export function createOnnxBackend(options: OnnxBackendOptions = {}): Backend {
  const { precision = 'fp32', ...others } = options;
  const settings = { threads: availableParallelism(), ...others };
  const library = runtimeLibrary();
  return {
    device: 'cpu',
    async load(graph: Graph): Promise<Program> {
      const { model, weights } = lowerChannelMajor(graph);
      const session = new OnnxSession();
      await session.load(library, model.serialize(), weights.entries, {
        ...settings,
        precision: graph.mayRound ? precision : 'fp32',
      });
      return new OnnxProgram(graph, session, weights.bytes);
    },
  };
}

class OnnxProgram implements Program {
  constructor(
    private readonly graph: Graph,
    private readonly session: OnnxSession,
    readonly residentBytes: number,
  ) {}

  async run(inputs: NamedTensors): Promise<Record<string, Tensor>> {
    checkInputs(this.graph, inputs);
    const names = this.graph.outputs.map(({ name }) => name);
    const results = await this.session.run(
      this.graph.inputs.map(({ name }) => ({ name, shape: inputs[name]!.shape, data: inputs[name]!.data })),
      names,
    );
    return Object.fromEntries(names.map((name, index) => [name, results[index]!]));
  }

  dispose(): Promise<void> {
    this.session.dispose();
    return Promise.resolve();
  }
}
