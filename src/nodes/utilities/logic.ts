/** Which of two branches runs, and what is true (ComfyUI comfy_extras/nodes_logic.py). */
import { isTrue } from '../../python/expression.js';
import { toPython } from '../../python/value.js';
import { autogrow, boolean, combo, defineNode, lazy, link, match, matchOutput } from '../definition.js';

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

/** Python's `bool`; what is no plain data is true. */
function truth(value: unknown): boolean {
  const data = toPython(value);
  return data === undefined || isTrue(data);
}

export const comfyNotNode = defineNode({
  name: 'ComfyNotNode',
  displayName: 'Not',
  category: 'utilities/logic',
  description: 'Whether a value is nothing: false, 0, or empty.',
  required: { value: link('*') },
  optional: {},
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
  run: ({ value }) => ({ outputs: [!truth(value)] }),
});

const values = autogrow(link('*'), { prefix: 'value', max: 10 });

export const comfyAndNode = defineNode({
  name: 'ComfyAndNode',
  displayName: 'And',
  category: 'utilities/logic',
  description: 'Whether all values are something: not false, 0, or empty.',
  required: { values },
  optional: {},
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
  run: (given) => ({ outputs: [Object.values(given.values).every(truth)] }),
});

export const comfyOrNode = defineNode({
  name: 'ComfyOrNode',
  displayName: 'Or',
  category: 'utilities/logic',
  description: 'Whether any value is something: not false, 0, or empty.',
  required: { values },
  optional: {},
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
  run: (given) => ({ outputs: [Object.values(given.values).some(truth)] }),
});

export const customCombo = defineNode({
  name: 'CustomCombo',
  displayName: 'Custom Combo',
  category: 'utilities',
  description: 'One of a list that is made in the editor, and its place there.',
  required: { choice: combo<string>([]) },
  optional: {},
  outputs: [
    { type: 'STRING', name: 'STRING' },
    { type: 'INT', name: 'INDEX' },
  ],
  takesMore: true,
  validate: { inputs: 'all', check: () => undefined },
  run: ({ choice, ...more }) => {
    const { index } = more as { readonly index?: unknown };
    return { outputs: [choice, typeof index === 'number' ? index : 0] };
  },
});
