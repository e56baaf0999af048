/** Prompts as Easy-Use encodes them: with choices, LoRAs and weights of its own. */
import type { RunContext, ValueOf } from '../../public.js';
import { encodeWithLoras, type PromptWithLoras } from '../impact/prompts.js';
import type { Interpretation } from './pipe.js';

export interface EasyPrompt {
  readonly text: string;
  readonly normalization: 'none' | 'mean' | 'length' | 'length+mean';
  readonly interpretation: Interpretation;
  /** The layer to stop at, from −1; 0 leaves it. */
  readonly clipSkip: number;
  readonly a1111Style: boolean;
}

/** The prompt, and what it made of model and text encoders. */
export async function encodePrompt(
  given: { readonly model: ValueOf<'MODEL'>; readonly clip: ValueOf<'CLIP'> },
  { text, normalization, interpretation, clipSkip, a1111Style }: EasyPrompt,
  context: RunContext,
): Promise<PromptWithLoras> {
  if (a1111Style)
    throw new TypeError('a1111_prompt_style needs ComfyUI-smZNodes, which is not here: switch it off');
  if (interpretation !== 'comfy' && interpretation !== 'A1111') {
    throw new TypeError(`weights are not interpreted as ${interpretation} here; take comfy or A1111`);
  }
  // A transformer's text encoders have neither layers to skip nor weights of this kind.
  const names = Object.keys(given.clip.weights);
  const plain = names.includes('t5xxl') && !names.includes('g');
  const skipped = clipSkip === 0 || names.includes('t5xxl') ? given.clip : given.clip.withLayer(clipSkip);
  const encoded = await encodeWithLoras(
    { ...given, clip: skipped },
    text,
    0n,
    context,
    async (clip, part) => [
      await clip.encode(part, plain ? {} : { weighing: { normalization, interpretation } }),
    ],
  );
  return encoded;
}
