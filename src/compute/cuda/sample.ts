import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CudaModel } from '../../native/cuda-addon.js';
import type { NamedTensors } from '../backend.js';
import { lossNamed } from '../device-lost.js';
import type { GraphSampled, GraphSampling } from '../graph-sampling.js';
import { tensor } from '../tensor.js';
import type { CudaProgram, PortShape } from './program.js';

/** Runs a sampler on the card; JavaScript hears of each step. What `progress` throws ends the sampling, and is thrown. */
export async function sampleOnCard(
  model: CudaModel,
  plan: number,
  program: CudaProgram,
  inputs: NamedTensors,
  { sampler, ports, prediction, sigmaData, cfg, signal, progress }: GraphSampling,
): Promise<GraphSampled> {
  signal?.throwIfAborted();
  const cancelled = new Int32Array(1);
  const cancel = (): void => {
    cancelled[0] = 1;
  };
  signal?.addEventListener('abort', cancel);
  let told = 0;
  let fault: { readonly error: unknown } | undefined;
  const report = (step: number, totalSteps: number, denoised: Float32Array): void => {
    told++;
    try {
      if (fault === undefined) progress?.(step, totalSteps, denoised);
    } catch (error) {
      fault = { error };
      cancel();
    }
  };
  try {
    const { reports, ...sampled } = await lossNamed(
      model.sample(plan, sampler(), {
        x: indexOf(program.inputs, ports.x),
        timeEmbedding: indexOf(program.inputs, ports.timeEmbedding),
        out: indexOf(program.outputs, ports.out),
        inputs: program.inputs.map(({ name }) => inputs[name]!.data),
        ...{ prediction, sigmaData, cancelled, report },
        ...(cfg === undefined ? {} : { cfg }),
      }),
    );
    while (told < reports) await nextTurn();
    if (fault !== undefined) throw fault.error;
    const [rows = 1, ...rest] = inputs[ports.x]!.shape;
    const shape = [cfg === undefined ? rows : rows / 2, ...rest];
    return {
      sample: tensor(shape, sampled.sample),
      denoised: sampled.denoised && tensor(shape, sampled.denoised),
      globalDraws: sampled.globalDraws,
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw fault === undefined ? error : fault.error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function indexOf(ports: readonly PortShape[], name: string): number {
  const index = ports.findIndex((port) => port.name === name);
  if (index === -1) throw new RangeError(`the graph has no ${name}`);
  return index;
}
