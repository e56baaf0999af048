/** A quarter of the least float32: masks of it can be added to one another (ComfyUI comfy/text_encoders/llama.py, Llama2_.forward). */
const hiddenScore = -3.4028234663852886e38 / 4;

/** What is added to scores, T×T, so that tokens see neither later ones nor those that `mask` has 0 for. */
export function scoreMask(mask: readonly number[]): Float32Array {
  const tokens = mask.length;
  const scores = new Float32Array(tokens * tokens);
  for (let query = 0; query < tokens; query++) {
    for (let key = 0; key < tokens; key++) {
      const later = key > query ? hiddenScore : 0;
      scores[query * tokens + key] = later + (mask[key] === 1 ? 0 : hiddenScore);
    }
  }
  return scores;
}
