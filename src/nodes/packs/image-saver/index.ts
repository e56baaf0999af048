/** comfy-image-saver (giriss): values. */
import { defineNode, float, int, seed, string, type InputSpec, type ValueType } from '../../public.js';
import { valueNode, wholeNumber } from '../pass-on.js';

const MAX_RESOLUTION = 16384;

const literal = (name: string, description: string, input: string, spec: InputSpec, type: ValueType) =>
  valueNode({ name, displayName: name, category: 'ImageSaverTools/utils', description }, input, spec, {
    type,
    name: type,
  });

export const stringLiteral = literal(
  'String Literal',
  'A text.',
  'string',
  string({ multiline: true }),
  'STRING',
);
export const sizeLiteral = literal(
  'Width/Height Literal',
  'Pixels.',
  'int',
  int({ default: 512, min: 1, max: MAX_RESOLUTION, step: 8 }),
  'INT',
);
export const intLiteral = literal(
  'Int Literal',
  'A whole number.',
  'int',
  int({ default: 0, min: 0, max: 1_000_000 }),
  'INT',
);
export const cfgLiteral = literal(
  'Cfg Literal',
  'A number.',
  'float',
  float({ default: 8, min: 0, max: 100 }),
  'FLOAT',
);

export const seedGenerator = defineNode({
  name: 'Seed Generator',
  displayName: 'Seed Generator',
  category: 'ImageSaverTools/utils',
  description: 'A random seed.',
  required: { seed: seed() },
  optional: {},
  outputs: [{ type: 'INT', name: 'INT' }],
  run: ({ seed: given }) => ({ outputs: [wholeNumber(given)] }),
});
