/** How strongly, when, and after which other one a control counts (ComfyUI comfy/controlnet.py, ControlBase). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { mapValues } from '../../imaging/tensor-ops.js';
import type { Control, ControlledEvaluation, ControlResiduals } from '../denoiser/control.js';
import { ModelError } from '../model-error.js';
import type { ControlNetwork, ControlPicture, ShownControl } from './control-network.js';

export interface Steering {
  readonly strength: number;
  /** Shares of sampling between which it counts, 0 to 1. */
  readonly start: number;
  readonly end: number;
  /** What steers as well. */
  readonly previous?: Control | undefined;
  /** What becomes of the residuals at an evaluation; undefined where none count. Asked at every evaluation. */
  readonly shaping?: Shaping | undefined;
}

export type Shaping = (
  evaluation: ControlledEvaluation,
) => ((residuals: ControlResiduals) => ControlResiduals) | undefined;

/**
 * A control that adds what a network that is shown a picture gives to what `previous` does. `shown` may be handed over where several
 * controls share it.
 */
export function steeredByPicture(
  network: ControlNetwork,
  picture: ControlPicture,
  steering: Steering,
  shown = network.show(picture),
): Control {
  return {
    ...steeredBy(shown, steering),
    withPictures(change) {
      const { previous } = steering;
      const changed = { ...picture, image: change(picture.image) };
      return steeredByPicture(network, changed, {
        ...steering,
        previous: previous?.withPictures?.(change) ?? previous,
      });
    },
  };
}

/** A control that adds what `shown` gives to what `previous` does. */
export function steeredBy(
  shown: ShownControl,
  { strength, start, end, previous, shaping = () => (residuals) => residuals }: Steering,
): Control {
  return {
    async residuals(evaluation) {
      const before = await previous?.residuals(evaluation);
      const shaped = shaping(evaluation);
      if (shaped === undefined || !countsAt(evaluation, start, end)) return before;
      const own = scaled(shaped(await shown.residuals(evaluation)), strength);
      return before === undefined ? own : joined(before, own);
    },
  };
}

function countsAt(
  { sigma, sampling: { levels } }: ControlledEvaluation,
  start: number,
  end: number,
): boolean {
  return sigma <= levels.percentToSigma(start) && sigma >= levels.percentToSigma(end);
}

function scaled(residuals: ControlResiduals, strength: number): ControlResiduals {
  if (strength === 1) return residuals;
  const factor = Math.fround(strength);
  return mapResiduals(residuals, (residual) => mapValues(residual, (value) => value * factor));
}

export function mapResiduals(
  residuals: ControlResiduals,
  map: (residual: Tensor, place: string) => Tensor,
): ControlResiduals {
  return Object.fromEntries(
    Object.entries(residuals).map(([place, residual]) => [place, map(residual, place)]),
  );
}

function joined(before: ControlResiduals, own: ControlResiduals): ControlResiduals {
  const sums = Object.entries(own).map(([place, residual]) => {
    const other = before[place];
    return [place, other === undefined ? residual : sum(other, residual, place)] as const;
  });
  return { ...before, ...Object.fromEntries(sums) };
}

function sum(a: Tensor, b: Tensor, place: string): Tensor {
  if (a.shape.join() !== b.shape.join()) {
    throw new ModelError(
      `two controls in a row add [${a.shape.join(', ')}] and [${b.shape.join(', ')}] to ${place}: they are made for different models`,
    );
  }
  return tensor(
    a.shape,
    a.data.map((value, index) => value + b.data[index]!),
  );
}
