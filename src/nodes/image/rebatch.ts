/** Images in batches of another size (ComfyUI comfy_extras/nodes_rebatch.py, ImageRebatch). */
import { batchOf, concatRows, takeRows } from '../../imaging/tensor-ops.js';
import { defineNode, int, link } from '../definition.js';

export const rebatchImages = defineNode({
  name: 'RebatchImages',
  displayName: 'Rebatch Images',
  category: 'image/batch',
  description: 'Puts a list of images into batches of another size.',
  inputIsList: true,
  required: {
    images: link('IMAGE'),
    batch_size: int({ default: 1, min: 1, max: 4096, tooltip: 'How many images a batch has at most.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE', isList: true }],
  run({ images, batch_size: [size = 1] }) {
    const rows = images.flatMap((batch) =>
      Array.from({ length: batchOf(batch) }, (_, row) => takeRows(batch, row, 1)),
    );
    const batches = Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
      rows.slice(index * size, (index + 1) * size).reduce(concatRows),
    );
    return { outputs: [batches] };
  },
});
