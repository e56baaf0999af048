/** Scales of guidance that differ from frame to frame (ComfyUI comfy_extras/nodes_video_model.py). */
import { tensor } from '../../compute/tensor.js';
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import type { GuidanceInput } from '../../models/denoiser/guidance.js';
import { defineNode, float, link } from '../definition.js';

const category = 'model/sampling/guiders';
const required = {
  model: link('MODEL', { tooltip: 'The model to change.' }),
  min_cfg: float({ default: 1, min: 0, max: 100, step: 0.5, round: 0.01, tooltip: 'The lowest scale.' }),
};
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;
const { fround } = Math;

/** torch.linspace, which counts from the nearer end. */
function evenly(from: number, to: number, count: number): number[] {
  const step = count > 1 ? fround(fround(fround(to) - fround(from)) / (count - 1)) : 0;
  return Array.from({ length: count }, (_, at) =>
    at < count / 2
      ? fround(fround(from) + fround(step * at))
      : fround(fround(to) - fround(step * (count - 1 - at))),
  );
}

/** A scale for each row of a batch, which are a film's frames; noise is guided, as ComfyUI has it. */
function framewise(
  model: DiffusionModel,
  identity: string,
  scalesOf: (cfg: number, rows: number) => number[],
) {
  const combine = ({ x, cond, uncond, cfg }: GuidanceInput) => {
    const [rows = 1] = x.shape;
    const scales = scalesOf(cfg, rows);
    const length = x.data.length / rows;
    const values = x.data.map((value, at) => {
      const [positive, negative] = [fround(value - cond.data[at]!), fround(value - uncond.data[at]!)];
      const scale = scales[Math.floor(at / length)]!;
      return value - fround(negative + fround(scale * fround(positive - negative)));
    });
    return tensor(x.shape, values);
  };
  const { guidance } = model;
  return model.withGuidance({ ...guidance, identity: `${guidance.identity} ${identity}`, combine });
}

export const videoLinearCfgGuidance = defineNode({
  name: 'VideoLinearCFGGuidance',
  displayName: 'Video Linear CFG Guidance',
  category,
  description: 'Guidance that grows from the first frame of a batch to the last.',
  required,
  optional: {},
  outputs,
  run: ({ model, min_cfg: least }) => ({
    outputs: [framewise(model, `linear ${least}`, (cfg, rows) => evenly(least, cfg, rows))],
  }),
});

export const videoTriangleCfgGuidance = defineNode({
  name: 'VideoTriangleCFGGuidance',
  displayName: 'Video Triangle CFG Guidance',
  category,
  description: 'Guidance that grows to the middle of a batch of frames and falls again.',
  required,
  optional: {},
  outputs,
  run: ({ model, min_cfg: least }) => ({
    outputs: [
      framewise(model, `triangle ${least}`, (cfg, rows) =>
        evenly(0, 1, rows).map((place) => {
          const wave = fround(2 * Math.abs(fround(place - Math.floor(fround(place + 0.5)))));
          return fround(fround(wave * fround(cfg - least)) + fround(least));
        }),
      ),
    ],
  }),
});
