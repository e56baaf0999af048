/** Constants (ComfyUI-KJNodes nodes/nodes.py). */
import { boolean, defineNode, float, int, roundTo, string, strip } from '../../public.js';
import { valueNode } from '../pass-on.js';

const described = (name: string, displayName: string, description: string) => ({
  name,
  displayName,
  category: 'KJNodes/constants',
  description,
});

const WIDEST = 2 ** 64;

export const boolConstant = valueNode(
  described('BOOLConstant', 'BOOL Constant', 'Yes or no.'),
  'value',
  boolean({ default: true }),
  { type: 'BOOLEAN', name: 'value' },
);

export const intConstant = valueNode(
  described('INTConstant', 'INT Constant', 'A whole number.'),
  'value',
  int({ default: 0, min: -WIDEST, max: WIDEST }),
  { type: 'INT', name: 'value' },
);

export const floatConstant = defineNode({
  ...described('FloatConstant', 'Float Constant', 'A number of six digits after the point.'),
  required: { value: float({ default: 0, min: -WIDEST, max: WIDEST, step: 0.00001 }) },
  optional: {},
  outputs: [{ type: 'FLOAT', name: 'value' }],
  run: ({ value }) => ({ outputs: [roundTo(value, 6)] }),
});

export const stringConstant = valueNode(
  described('StringConstant', 'String Constant', 'A text.'),
  'string',
  string({ multiline: false }),
  { type: 'STRING', name: 'STRING' },
);

export const stringConstantMultiline = defineNode({
  ...described(
    'StringConstantMultiline',
    'String Constant Multiline',
    'A text of several lines, made one if wanted.',
  ),
  required: { string: string({ multiline: true }), strip_newlines: boolean({ default: true }) },
  optional: {},
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ string: text, strip_newlines }) => ({
    outputs: [strip_newlines ? strip(text.replaceAll('\n', '')) : text],
  }),
});
