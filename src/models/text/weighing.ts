/** Weights of a prompt's words as BlenderNeko's ADV_CLIP_emb has them, which other packs have taken over (its adv_encode.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { Section, TextWeighing } from './text-encoding.js';

/** Sections with their weights normalised. */
export function normalised(
  sections: readonly Section[],
  normalization: TextWeighing['normalization'],
): readonly Section[] {
  let result = sections;
  if (normalization.startsWith('length')) {
    const counts = new Map<number, number>();
    for (const { word } of result.flat())
      if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1);
    result = result.map((section) =>
      section.map((each) => {
        if (each.word === undefined) return { ...each, weight: 1 };
        const over = each.weight - 1;
        const shared = Math.sqrt(over ** 2 / counts.get(each.word)!);
        return { ...each, weight: 1 + Math.sign(over) * shared };
      }),
    );
  }
  if (normalization.endsWith('mean')) {
    const words = result.flat().filter(({ word }) => word !== undefined);
    // Of a prompt without words the mean is no number, and counts for no token.
    if (words.length === 0) return result;
    const shift = 1 - words.reduce((sum, { weight }) => sum + weight, 0) / words.length;
    result = result.map((section) =>
      section.map((each) => (each.word === undefined ? each : { ...each, weight: each.weight + shift })),
    );
  }
  return result;
}

/** Sections whose words all weigh 1. */
export function unweighted(sections: readonly Section[]): readonly Section[] {
  return sections.map((section) => section.map((each) => ({ ...each, weight: 1 })));
}

/** Hidden states, 1×T×C, of tokens that weighed 1, as A1111 weighs them: each times its weight, and all to the mean that they had. */
export function weighedFromZero({ shape, data }: Tensor, sections: readonly Section[]): Tensor {
  const width = shape.at(-1)!;
  const weighted = Float32Array.from(data);
  sections.flat().forEach(({ weight }, place) => {
    const factor = Math.fround(weight);
    for (let index = place * width; index < (place + 1) * width; index++) weighted[index]! *= factor;
  });
  const factor = Math.fround(meanOf(data) / meanOf(weighted));
  return tensor(
    shape,
    weighted.map((value) => value * factor),
  );
}

function meanOf(values: Float32Array): number {
  return Math.fround(values.reduce((sum, value) => sum + value, 0) / values.length);
}
