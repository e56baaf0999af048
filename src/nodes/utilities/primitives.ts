/** Values as nodes: written once and linked to many inputs (ComfyUI comfy_extras/nodes_primitive.py). */
import { bigInt, boolean, defineNode, float, string } from '../definition.js';

const described = { category: 'utilities/primitive', optional: {} };

/** Python's sys.maxsize. */
const MAX_SIZE = 0x7fff_ffff_ffff_ffffn;

export const primitiveString = defineNode({
  ...described,
  name: 'PrimitiveString',
  displayName: 'Text',
  description: 'A text.',
  required: { value: string({ multiline: false }) },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ value }) => ({ outputs: [value] }),
});

export const primitiveStringMultiline = defineNode({
  ...described,
  name: 'PrimitiveStringMultiline',
  displayName: 'Text (Multiline)',
  description: 'A text of several lines.',
  required: { value: string({ multiline: true }) },
  outputs: [{ type: 'STRING', name: 'STRING' }],
  run: ({ value }) => ({ outputs: [value] }),
});

export const primitiveInt = defineNode({
  ...described,
  name: 'PrimitiveInt',
  displayName: 'Int',
  description: 'A whole number, for sizes and seeds.',
  required: { value: bigInt({ min: -MAX_SIZE, max: MAX_SIZE, controlAfterGenerate: 'fixed' }) },
  outputs: [{ type: 'INT', name: 'INT' }],
  run: ({ value }) => ({ outputs: [Number.isSafeInteger(Number(value)) ? Number(value) : value] }),
});

export const primitiveFloat = defineNode({
  ...described,
  name: 'PrimitiveFloat',
  displayName: 'Float',
  description: 'A number.',
  required: { value: float({ min: -Number(MAX_SIZE), max: Number(MAX_SIZE), step: 0.1 }) },
  outputs: [{ type: 'FLOAT', name: 'FLOAT' }],
  run: ({ value }) => ({ outputs: [value] }),
});

export const primitiveBoolean = defineNode({
  ...described,
  name: 'PrimitiveBoolean',
  displayName: 'Boolean',
  description: 'Yes or no.',
  required: { value: boolean() },
  outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
  run: ({ value }) => ({ outputs: [value] }),
});
