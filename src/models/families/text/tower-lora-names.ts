/** What LoRA files call the weights of encoders beside CLIP's (ComfyUI comfy/lora.py, model_lora_keys_clip). */
import type { WeightSource } from '../../weights/weight-source.js';

const suffix = '.weight';

/** Names of the weights of the encoder called `tower`. `alone`: it is a language model and its family's only encoder. */
export function* towerLoraNames(
  tower: string,
  weights: WeightSource,
  alone = false,
): Generator<readonly [name: string, key: string]> {
  for (const key of weights.keys()) {
    if (!key.endsWith(suffix)) continue;
    const own = key.slice(0, -suffix.length);
    yield [`text_encoders.${tower}.transformer.${own}`, key];
    yield [`text_encoders.transformer.${own}`, key];
    if (alone && own.startsWith('model.')) {
      yield [`lora_te_${own.slice('model.'.length).replaceAll('.', '_')}`, key];
    }
  }
}
