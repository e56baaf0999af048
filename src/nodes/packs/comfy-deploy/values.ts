/** Values: the default, or what stands in `input_id`'s place. */
import { boolean, defineNode, float, floatOf, int, intOf, string, strip } from '../../public.js';
import { wholeNumber } from '../pass-on.js';

import { inputId, named, shown } from './shared.js';

const LARGEST = 2_147_483_647;

export const externalText = defineNode({
  ...named('Text', 'Text', 'A text.'),
  required: { input_id: inputId('input_text') },
  optional: { default_value: string({ multiline: true }), ...shown },
  outputs: [{ type: 'STRING', name: 'text' }],
  run: ({ default_value = '' }) => ({ outputs: [default_value] }),
});

export const externalBoolean = defineNode({
  ...named('Boolean', 'Boolean', 'Yes or no.'),
  required: { input_id: inputId('input_bool'), default_value: boolean({ default: false }) },
  optional: shown,
  outputs: [{ type: 'BOOLEAN', name: 'bool_value' }],
  run: ({ default_value }) => ({ outputs: [default_value] }),
});

export const externalNumberInt = defineNode({
  ...named('NumberInt', 'Number Int', 'A whole number: input_id where that is one, else the default.'),
  required: { input_id: inputId('input_number') },
  optional: { default_value: int({ default: 0, min: -LARGEST, max: LARGEST }), ...shown },
  outputs: [{ type: 'INT', name: 'value' }],
  run({ input_id, default_value = 0 }) {
    const given = /^\d+$/.test(strip(input_id)) ? intOf(input_id) : undefined;
    if (given === undefined) return { outputs: [default_value] };
    return { outputs: [wholeNumber(given)] };
  },
});

export const externalNumber = defineNode({
  ...named('Number', 'Number', 'A number: input_id where that is one, else the default.'),
  required: { input_id: inputId('input_number') },
  optional: { default_value: float({ default: 0, min: -LARGEST, max: LARGEST, step: 0.01 }), ...shown },
  outputs: [{ type: 'FLOAT', name: 'value' }],
  run: ({ input_id, default_value = 0 }) => ({ outputs: [floatOf(input_id) ?? default_value] }),
});
