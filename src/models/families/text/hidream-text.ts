/** HiDream: CLIP-L's and bigG's end tokens, T5's rows, and all of Llama's layers (ComfyUI comfy/text_encoders/hidream.py, HiDreamTEModel). */
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { joinedAlong, partAlong } from '../../../imaging/along-axis.js';
import { clipEncoder, clipG, clipL } from '../../clip/clip-encoder.js';
import type { EncodedSections, TextEncoding } from '../../text/text-encoding.js';
import { hiDreamLlama } from './language-uses.js';
import { hiDreamT5 } from './t5-uses.js';

export type HiDreamEncoder = 'l' | 'g' | 't5xxl' | 'llama';

const names = ['l', 'g', 't5xxl', 'llama'] as const;
/** What stands for an encoder that wasn't loaded: zeros of the real ones' shapes. */
const absentShapes = { l: [1, 768], g: [1, 1280], t5xxl: [1, 128, 4096], llama: [1, 32, 1, 4096] } as const;

const lora = (kohya: string, diffusers: string) => ({ kohya: [kohya], diffusers, projection: [] });
const encoderOf = {
  l: clipEncoder(clipL, {
    ...{ layer: 'last', normalized: true, pooled: 'projected or plain' },
    lora: lora('lora_te1', 'text_encoder'),
  }),
  g: clipEncoder(clipG, {
    ...{ layer: -2, normalized: false, pooled: 'projected' },
    lora: lora('lora_te2', 'text_encoder_2'),
  }),
  t5xxl: hiDreamT5,
  llama: hiDreamLlama,
} as const;

/** HiDream's encoding with those encoders that there are. */
export function hiDreamText(present: readonly HiDreamEncoder[]): TextEncoding {
  const loaded = names.filter((name) => present.includes(name));
  return {
    encoders: loaded.map((name) => encoderOf[name]),
    absent: names.filter((name) => !present.includes(name)),
    join(all) {
      const of = (name: HiDreamEncoder): EncodedSections | undefined => all[loaded.indexOf(name)];
      const nothing = (name: HiDreamEncoder): Tensor => tensor(absentShapes[name]);
      const llama = of('llama')?.hidden;
      return {
        cond: of('t5xxl')?.hidden ?? nothing('t5xxl'),
        pooled: joinedAlong([of('l')?.pooled ?? nothing('l'), of('g')?.pooled ?? nothing('g')], 1),
        // Embeddings are no layer.
        llama: llama === undefined ? nothing('llama') : partAlong(llama, 1, 1, llama.shape[1]! - 1),
      };
    },
  };
}
