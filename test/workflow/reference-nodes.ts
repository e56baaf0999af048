/** The node classes of tools/reference/validation.py. */
import { tensor } from '../../src/compute/tensor.js';
import {
  boolean,
  combo,
  defineNode,
  float,
  int,
  link,
  multiType,
  seed,
  string,
  type AnyNodeClass,
} from '../../src/nodes/definition.js';
import type { NodeRegistry } from '../../src/nodes/index.js';

const described = { displayName: '', category: 'test', description: '' };
const image = { type: 'IMAGE', name: 'IMAGE' } as const;
const pixel = tensor([1, 1, 1, 3]);

const number = defineNode({
  ...described,
  name: 'Number',
  required: { value: int({ default: 1, min: 0, max: 100 }) },
  optional: {},
  outputs: [{ type: 'INT', name: 'INT' }],
  run: ({ value }) => ({ outputs: [value] }),
});

const paint = defineNode({
  ...described,
  name: 'Paint',
  required: {
    shade: float({ default: 1, min: 0, max: 10, step: 0.1 }),
    mode: combo(['fast', 'exact', 'slow']),
    smooth: boolean({ default: true }),
    caption: string(),
  },
  optional: { offset: int({ default: 0, min: -5, max: 5 }), under: link('IMAGE') },
  outputs: [image, { type: 'MASK', name: 'MASK' }],
  run: () => ({ outputs: [pixel, tensor([1, 1, 1])] }),
});

const dice = defineNode({
  ...described,
  name: 'Dice',
  required: { seed: seed() },
  optional: {},
  outputs: [image],
  run: () => ({ outputs: [pixel] }),
});

const pick = defineNode({
  ...described,
  name: 'Pick',
  required: { name: combo(() => Array.from({ length: 25 }, (_, index) => `file${index}.png`)) },
  optional: {},
  outputs: [image],
  run: () => ({ outputs: [pixel] }),
});

const open = defineNode({
  ...described,
  name: 'Open',
  required: {
    file: combo(['a.png'], {
      reject: (file) => (file.endsWith('.png') ? undefined : `Invalid image file: ${file}`),
    }),
  },
  optional: {},
  outputs: [image],
  run: () => ({ outputs: [pixel] }),
});

/** Not one of the script's: as LoadImage, it has what ComfyUI calls IS_CHANGED. */
const look = defineNode({
  ...described,
  name: 'Look',
  required: { file: string() },
  optional: {},
  outputs: [image],
  fingerprint({ file }) {
    if (file === 'gone') throw new Error('there is no such file');
    return `hash of ${String(file)}`;
  },
  tellsFingerprint: true,
  run: () => ({ outputs: [pixel] }),
});

const either = defineNode({
  ...described,
  name: 'Either',
  required: { value: multiType(['INT', 'STRING']) },
  optional: {},
  outputs: [image, { type: 'STRING', name: 'STRING', also: ['MASK'] }],
  run: () => ({ outputs: [pixel, ''] }),
});

const anything = defineNode({
  ...described,
  name: 'Anything',
  required: { value: link('*') },
  optional: {},
  outputs: [image, { type: '*', name: '*' }],
  run: ({ value }) => ({ outputs: [pixel, value] }),
});

const save = defineNode({
  ...described,
  name: 'Save',
  required: { images: link('IMAGE') },
  optional: {},
  outputs: [],
  outputNode: true,
  run: () => ({ outputs: [] }),
});

export const referenceNodes: NodeRegistry = new Map<string, AnyNodeClass>(
  [number, paint, dice, pick, open, look, either, anything, save].map((node) => [node.name, node]),
);
