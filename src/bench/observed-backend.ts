import type { Backend, NamedTensors, Program } from '../compute/backend.js';
import { bindDims, graphCost, type Cost } from '../compute/cost.js';
import type { Graph } from '../compute/graph.js';

/** One run of a program, in `performance.now()`'s milliseconds. */
export interface ProgramRun extends Cost {
  /** The graph's name. */
  readonly name: string;
  readonly started: number;
  readonly ended: number;
}

/** `backend`, telling of every run of its programs once it is over. Costs are counted once for each shape of inputs. */
export function observedBackend(backend: Backend, told: (run: ProgramRun) => void): Backend {
  return {
    ...backend,
    async load(graph) {
      return new ObservedProgram(graph, await backend.load(graph), told);
    },
  };
}

class ObservedProgram implements Program {
  private readonly costs = new Map<string, Cost>();

  constructor(
    private readonly graph: Graph,
    private readonly program: Program,
    private readonly told: (run: ProgramRun) => void,
  ) {}

  get residentBytes(): number {
    return this.program.residentBytes;
  }

  async run(inputs: NamedTensors) {
    const cost = this.costOf(inputs);
    const started = performance.now();
    const outputs = await this.program.run(inputs);
    this.told({ name: this.graph.name, started, ended: performance.now(), ...cost });
    return outputs;
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }

  private costOf(inputs: NamedTensors): Cost {
    const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
    const key = JSON.stringify(shapes);
    const known = this.costs.get(key);
    if (known !== undefined) return known;
    const { flops, bytes } = graphCost(this.graph, bindDims(this.graph, shapes));
    const cost = { flops, bytes };
    this.costs.set(key, cost);
    return cost;
  }
}
