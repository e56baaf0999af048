import { createEngine } from 'latentd';
import { defineNode, link, tensor, type Tensor } from 'latentd/nodes';
import { expect, it } from 'vitest';
import { nodes } from '../src/index.js';

/** Stands for a picture that another node makes. */
const picture = (name: string, ...values: number[]) =>
  defineNode({
    name,
    displayName: name,
    category: 'test',
    description: '',
    required: {},
    optional: {},
    outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
    run: () => ({ outputs: [tensor([1, 1, values.length / 3, 3], Float32Array.from(values))] }),
  });

it('paints a picture in the colours of another', async () => {
  const seen: Tensor[] = [];
  const keep = defineNode({
    name: 'Keep',
    displayName: 'Keep',
    category: 'test',
    description: '',
    required: { image: link('IMAGE') },
    optional: {},
    outputs: [],
    outputNode: true,
    run({ image }) {
      seen.push(image);
      return { outputs: [] };
    },
  });
  const engine = createEngine({
    nodes: [
      ...nodes,
      keep,
      picture('BlackAndRed', 0, 0, 0, 1, 0, 0),
      picture('Pinkish', 0.9, 0.3, 0.3, 0.1, 0.2, 0.1),
    ],
  });
  const result = await engine.run({
    colours: { class_type: 'BlackAndRed', inputs: {} },
    other: { class_type: 'Pinkish', inputs: {} },
    palette: { class_type: 'ExamplePickPalette', inputs: { image: ['colours', 0], count: 2 } },
    painted: { class_type: 'ExampleUsePalette', inputs: { image: ['other', 0], palette: ['palette', 0] } },
    end: { class_type: 'Keep', inputs: { image: ['painted', 0] } },
  });
  await engine.dispose();
  expect(result.status).toBe('success');
  expect([...(seen[0]?.data ?? [])]).toEqual([1, 0, 0, 0, 0, 0]);
});
