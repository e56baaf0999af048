import { tensor, type Tensor } from '../../compute/tensor.js';
import type { Guidance } from '../../models/denoiser/guidance.js';

const { fround, sqrt } = Math;

/**
 * RescaleCFG: the guided prediction, seen as velocity, is scaled back to the deviation of the prompt's own, to the share
 * `multiplier`. Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", 2023 (ComfyUI
 * comfy_extras/nodes_model_advanced.py, RescaleCFG; in float32 and its order).
 */
export function rescaleCfg(multiplier: number): NonNullable<Guidance['combine']> {
  const share = fround(multiplier);
  const rest = fround(1 - multiplier);
  return ({ x, sigma, cfg, cond, uncond }) => {
    const at = fround(sigma);
    const variance = fround(fround(at * at) + 1);
    const deviation = fround(sqrt(variance));
    const scale = fround(cfg);
    const velocity = (denoised: Tensor) =>
      tensor(
        x.shape,
        x.data.map((value, index) => {
          // ComfyUI hands x − denoised about.
          const kept = fround(value - fround(value - denoised.data[index]!));
          return fround(fround(fround(value / variance) - kept) * deviation) / at;
        }),
      );
    const from = velocity(uncond);
    const to = velocity(cond);
    const guided = tensor(
      x.shape,
      to.data.map((value, index) => {
        const base = from.data[index]!;
        return base + fround(scale * fround(value - base));
      }),
    );
    const ownDeviations = deviations(guided);
    const ratios = deviations(to).map((wanted, row) => fround(wanted / ownDeviations[row]!));
    const rowLength = x.data.length / ratios.length;
    const data = guided.data.map((value, index) => {
      const rescaled = fround(value * ratios[Math.floor(index / rowLength)]!);
      const final = fround(fround(share * rescaled) + fround(rest * value));
      const noised = x.data[index]!;
      const denoised = fround(fround(noised / variance) - fround(fround(final * at) / deviation));
      return noised - fround(noised - denoised);
    });
    return tensor(x.shape, data);
  };
}

/** Each row's standard deviation, of a sample (torch.std). */
function deviations({ shape, data }: Tensor): number[] {
  const [rows = 1] = shape;
  const length = data.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const values = data.subarray(row * length, (row + 1) * length);
    const mean = values.reduce((sum, value) => sum + value, 0) / length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return fround(sqrt(squares / (length - 1)));
  });
}
