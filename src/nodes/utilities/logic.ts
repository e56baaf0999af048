/** Which of two branches runs (ComfyUI comfy_extras/nodes_logic.py). */
import { boolean, defineNode, lazy, match, matchOutput } from '../definition.js';

export const comfySwitchNode = defineNode({
  name: 'ComfySwitchNode',
  displayName: 'If/Else Switch',
  category: 'utilities/logic',
  description: 'Gives one of two values on; what the other depends on is not run.',
  required: { switch: boolean(), on_false: lazy(match('switch')), on_true: lazy(match('switch')) },
  optional: {},
  outputs: [matchOutput('switch', 'output')],
  checkLazy: ({ switch: on, on_false: onFalse, on_true: onTrue }) => {
    if (on) return onTrue === undefined ? ['on_true'] : [];
    return onFalse === undefined ? ['on_false'] : [];
  },
  run: ({ switch: on, on_false: onFalse, on_true: onTrue }) => ({ outputs: [on ? onTrue : onFalse] }),
});
