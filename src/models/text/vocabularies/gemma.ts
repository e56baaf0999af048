/** Gemma 2's vocabulary, with the one special token that ComfyUI looks for in prompts (comfy/text_encoders/lumina2.py and spiece_tokenizer.py). */
import type { WeightSource } from '../../weights/weight-source.js';
import { spieceVocabulary } from './vocabularies.js';
import type { Vocabulary } from './vocabulary.js';

const endOfTurn = { text: '<end_of_turn>', token: 107 };

export function gemmaVocabulary(weights: WeightSource): Vocabulary {
  const pieces = spieceVocabulary(weights);
  return {
    encode(text) {
      if (!text.includes(endOfTurn.text)) return pieces.encode(text);
      const tokens: number[] = [];
      text.split(endOfTurn.text).forEach((part, index) => {
        if (index > 0) tokens.push(endOfTurn.token);
        if (part !== '') tokens.push(...pieces.encode(part));
      });
      // Such a text is begun by no <bos>, and its first token is cut off in the place of that.
      return tokens.slice(1);
    },
  };
}
