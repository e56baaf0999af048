/** `steps` + 1 falling noise levels, between the `levels` given by their logarithms (`loglinear_interp` in several of ComfyUI's nodes). */
export function logLinear(levels: readonly number[], steps: number): Float32Array {
  const last = levels.length - 1;
  return Float32Array.from({ length: steps + 1 }, (_, index) => {
    const at = ((steps - index) / steps) * last;
    const below = Math.min(Math.floor(at), last - 1);
    const low = Math.log(levels[last - below]!);
    const high = Math.log(levels[last - below - 1]!);
    return Math.exp(low + (high - low) * (at - below));
  });
}
