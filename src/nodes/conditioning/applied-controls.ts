/** Conditionings that controls hang on. */
import type { ControlNetwork, ControlPicture } from '../../models/control/control-network.js';
import { shapingOf, type ControlTiming } from '../../models/control/shaping.js';
import { steeredByPicture, type Steering } from '../../models/control/steering.js';
import type { Control } from '../../models/denoiser/control.js';
import type { Conditioning } from '../values.js';

export interface AppliedSteering extends Omit<Steering, 'previous' | 'shaping'> {
  readonly timing?: ControlTiming;
  /** Prompts that no control hangs on are steered as well. */
  readonly controlsOthers?: boolean;
}

/** All of the prompts; entries that followed the same before share a control (ControlNetApplyAdvanced.apply_controlnet). */
export function appliedControl(
  prompts: readonly Conditioning[],
  network: ControlNetwork,
  picture: ControlPicture,
  { timing = {}, controlsOthers = false, ...steering }: AppliedSteering,
): Conditioning[] {
  if (steering.strength === 0) return [...prompts];
  const shown = network.show(picture);
  const controls = new Map<Control | undefined, Control>();
  const after = (previous: Control | undefined): Control => {
    const known =
      controls.get(previous) ??
      steeredByPicture(
        network,
        picture,
        { ...steering, previous, shaping: shapingOf(network, timing) },
        shown,
      );
    controls.set(previous, known);
    return known;
  };
  return prompts.map((conditioning) =>
    conditioning.map((entry) => ({ ...entry, control: after(entry.control), controlsOthers })),
  );
}
