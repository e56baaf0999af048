/** Models whose weights hooks change as a run goes on (ComfyUI comfy/hooks.py, HookKeyframeGroup, and comfy/model_patcher.py). */
import type { DiffusionModel } from '../models/denoiser/diffusion-model.js';
import type { ModelSampling } from '../models/denoiser/model-sampling.js';
import type { HookGroup, HookKeyframe, HookKeyframes } from '../models/weights/hooks.js';

/** Of one run. */
export class HookedModels {
  private readonly clocks = new Map<HookKeyframes, KeyframeClock>();
  private readonly made = new WeakMap<DiffusionModel, Map<string, DiffusionModel>>();
  private readonly numbers = new Map<object, number>();

  /** `highest` is the run's highest noise level. */
  constructor(private readonly highest: number) {}

  /** `model` with hooks' changes at a noise level; the same object as long as their strengths stay. */
  at(model: DiffusionModel, hooks: HookGroup | undefined, sigma: number): DiffusionModel {
    if (hooks === undefined || hooks.length === 0) return model;
    const counting = hooks.map(({ made, keyframes }) => ({
      made,
      factor: this.strengthAt(model.sampling, keyframes, sigma),
    }));
    const key = counting.map(({ made, factor }) => `${this.numberOf(made)}*${factor}`).join();
    const known = this.made.get(model) ?? new Map<string, DiffusionModel>();
    this.made.set(model, known);
    const hooked =
      known.get(key) ??
      counting.reduce(
        (patched, { made, factor }) => patched.withPatches(made.denoiserPatches(model, factor)),
        model,
      );
    known.set(key, hooked);
    return hooked;
  }

  private numberOf(made: object): number {
    const number = this.numbers.get(made) ?? this.numbers.size;
    this.numbers.set(made, number);
    return number;
  }

  private strengthAt(sampling: ModelSampling, keyframes: HookKeyframes, sigma: number): number {
    if (keyframes.length === 0) return 1;
    const clock = this.clocks.get(keyframes) ?? new KeyframeClock(keyframes, sampling, this.highest);
    this.clocks.set(keyframes, clock);
    return clock.strengthAt(sigma);
  }
}

/** Goes from keyframe to keyframe as noise levels fall. */
class KeyframeClock {
  private index = 0;
  private used = 0;
  private last: number | undefined;
  private readonly starts: readonly number[];

  constructor(
    private readonly keyframes: HookKeyframes,
    { levels }: ModelSampling,
    private readonly highest: number,
  ) {
    this.starts = keyframes.map(({ startPercent }) => Math.fround(levels.percentToSigma(startPercent)));
  }

  strengthAt(sigma: number): number {
    if (sigma !== this.last) this.advance(sigma);
    this.last = sigma;
    return this.current.strength;
  }

  private get current(): HookKeyframe {
    return this.keyframes[this.index]!;
  }

  private advance(sigma: number): void {
    if (this.used >= this.guaranteedAt(this.index)) {
      for (let next = this.index + 1; next < this.keyframes.length && this.starts[next]! >= sigma; next++) {
        this.index = next;
        this.used = 0;
        if (this.guaranteedAt(next) > 0) break;
      }
    }
    this.used++;
  }

  /** A keyframe from before the run need not be seen. */
  private guaranteedAt(index: number): number {
    return this.starts[index]! > this.highest ? 0 : this.keyframes[index]!.guaranteedSteps;
  }
}
