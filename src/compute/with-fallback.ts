import type { Backend, NamedTensors, Program } from './backend.js';
import { DeviceLost } from './device-lost.js';
import { UnsupportedOperation } from './unsupported.js';
import type { Graph } from './graph.js';

/**
 * Loads graphs on `first`, and on `second` what `first` has no kernels for, and everything once `first` is lost: programs that were
 * there go on on `second`. `notice` is told of each such graph once, and of the loss.
 */
export function withFallback(first: Backend, second: Backend, notice: (message: string) => void): Backend {
  const told = new Set<string>();
  const tell = (message: string): void => {
    if (!told.has(message)) notice(message);
    told.add(message);
  };
  let lost = false;

  /** What `body` does with the first backend, or what `instead` does when it is lost. */
  async function surviving<Result>(
    body: () => Promise<Result>,
    instead: () => Promise<Result>,
  ): Promise<Result> {
    if (lost) return instead();
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof DeviceLost)) throw error;
      lost = true;
      tell(`the ${second.device} computes from now on, ${first.device} is lost: ${error.message}`);
      return instead();
    }
  }

  /** On the first backend until that is lost. A loop on the device that the loss ends is its caller's to begin again. */
  class Moving implements Program {
    private elsewhere: Promise<Program> | undefined;

    constructor(
      private readonly graph: Graph,
      private readonly program: Program,
    ) {}

    get residentBytes(): number {
      return this.program.residentBytes;
    }

    run(inputs: NamedTensors): ReturnType<Program['run']> {
      return surviving(
        () => this.program.run(inputs),
        async () => (await (this.elsewhere ??= second.load(this.graph))).run(inputs),
      );
    }

    get onDevice(): Program['onDevice'] {
      const { onDevice } = this.program;
      if (lost || onDevice === undefined) return undefined;
      return (inputs, loop) =>
        surviving(
          () => onDevice(inputs, loop),
          () => Promise.reject(new DeviceLost(`${first.device} is lost`)),
        );
    }

    async dispose(): Promise<void> {
      await (await this.elsewhere)?.dispose();
      if (lost) await this.program.dispose().catch(() => undefined);
      else await this.program.dispose();
    }
  }

  return {
    ...first,
    availableBytes() {
      return (lost ? second : first).availableBytes?.();
    },
    async load(graph) {
      try {
        return await surviving<Program>(
          async () => new Moving(graph, await first.load(graph)),
          () => second.load(graph),
        );
      } catch (error) {
        if (!(error instanceof UnsupportedOperation)) throw error;
        tell(`${graph.name} runs on the ${second.device}: ${error.message}`);
        return await second.load(graph);
      }
    },
  };
}
