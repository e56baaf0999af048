/** LoRA files put on models. */
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import { applyLora } from '../../models/lora/apply-lora.js';
import type { TextEncoders } from '../../models/text/text-encoders.js';
import type { RunContext } from '../context.js';

/** A LoRA of the folder `loras` applied to a model, and to its text encoders where they are given; one of no strength changes nothing. */
export function applyLoraFile<Clip extends TextEncoders | undefined>(
  targets: { readonly model: DiffusionModel; readonly clip: Clip },
  name: string,
  strengths: { readonly model: number; readonly clip: number },
  { folders, models, warn }: RunContext,
): { readonly model: DiffusionModel; readonly clip: Clip } {
  const { model, clip } = targets;
  if (strengths.model === 0 && (strengths.clip === 0 || clip === undefined)) return targets;
  const weights = models.weights(folders.resolve('loras', name));
  const applied =
    clip === undefined
      ? applyLora(name, weights, { model }, strengths)
      : applyLora(name, weights, { model, clip }, strengths);
  for (const text of applied.warnings) warn(text);
  return { model: applied.model, clip: (applied.clip ?? clip) as Clip };
}
