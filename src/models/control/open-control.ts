/** The control that a file holds, told by its keys (ComfyUI comfy/controlnet.py, load_controlnet). */
import { parse } from 'node:path';
import { ModelError } from '../model-error.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { ControlNetwork } from './control-network.js';
import { controlLora, DIFFERENCE_MARK, LORA_MARK, onTopOf } from './controlnet/borrowed-weights.js';
import { createControlNet } from './controlnet/controlnet.js';
import { controlNetLayout, ORIGINAL_PREFIX } from './controlnet/layouts.js';
import { createT2IAdapter } from './t2i-adapter/t2i-adapter.js';

export interface ControlOptions {
  readonly programs: ProgramCache;
  /** Own weights of the model that a file of differences is on top of. */
  readonly model?: WeightSource | undefined;
  /** Told of what will hardly do what is wanted. */
  readonly warn?: ((message: string) => void) | undefined;
}

/** Throws `ModelError` saying what the file looks like when it holds none that is known. */
export function openControl(file: WeightSource, { programs, model, warn }: ControlOptions): ControlNetwork {
  const common = { programs, averaged: isAveraged(file.path) };
  if (file.has(LORA_MARK)) {
    const weightsFor = (denoiser: WeightSource) => controlLora(denoiser, file);
    return createControlNet({
      identity: `control lora ${file.identity}`,
      weightsFor,
      ...common,
      averaged: false,
      borrows: true,
    });
  }
  const weights = controlNetLayout(file);
  if (weights !== undefined) {
    const isDifference = file.has(DIFFERENCE_MARK) && file.has(`${ORIGINAL_PREFIX}zero_convs.0.0.weight`);
    if (isDifference && model === undefined) {
      warn?.(
        `${file.path} holds a ControlNet's differences to a model: load it with DiffControlNetLoader, or it will hardly work`,
      );
    }
    const whole = isDifference && model !== undefined ? onTopOf(model, weights) : weights;
    return createControlNet({ identity: `controlnet ${whole.identity}`, weightsFor: () => whole, ...common });
  }
  const adapter = createT2IAdapter(file, programs);
  if (adapter !== undefined) return adapter;
  throw new ModelError(
    `${file.path} holds no control that is known: ControlNets of SD 1.x, 2.x and SDXL (the original's or diffusers' names), control LoRAs and T2I-Adapters are`,
  );
}

/** ComfyUI tells ControlNets that were trained on shuffled pictures by their file's name alone. */
function isAveraged(path: string): boolean {
  return /_shuffle(_fp16)?$/.test(parse(path).name);
}
