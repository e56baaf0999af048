import { describe, expect, test } from 'vitest';
import { classInfo, converted, file, input, output, widgetInput, withClasses } from './editor-files.js';

const infoOf = withClasses(
  classInfo('Loader', {}, ['MODEL', 'CLIP']),
  classInfo('Text', { clip: ['CLIP'] }, ['CONDITIONING']),
  classInfo(
    'Sample',
    { model: ['MODEL'], positive: ['CONDITIONING'], negative: ['CONDITIONING'], seed: ['INT', {}] },
    ['LATENT'],
  ),
);
const loader = { id: 1, type: 'Loader', outputs: [output('MODEL'), output('CLIP')] };
const text = (id: number, more: object = {}) => ({
  id,
  type: 'Text',
  inputs: [input('clip', 'CLIP')],
  outputs: [output('CONDITIONING')],
  ...more,
});
const sample = (more: object = {}) => ({
  id: 9,
  type: 'Sample',
  inputs: [
    input('model', 'MODEL'),
    input('positive', 'CONDITIONING'),
    input('negative', 'CONDITIONING'),
    widgetInput('seed', 'INT'),
  ],
  outputs: [output('LATENT')],
  widgets_values: [5, 'fixed'],
  ...more,
});
const everywhere = (id: number, type: string, links: (number | null)[], more: object = {}) => ({
  id,
  type,
  inputs: links.map((link) => input('anything', '*', link)),
  outputs: [],
  ...more,
});

describe('cg-use-everywhere', () => {
  test('sends to open inputs of the type, not to linked ones, and is no node of the prompt', () => {
    const nodes = converted(
      file(
        [
          loader,
          text(2),
          text(3, { inputs: [input('clip', 'CLIP', 4)] }),
          sample(),
          everywhere(5, 'Anything Everywhere3', [1, 2, null]),
        ],
        [
          [1, 1, 0, 5, 0, 'MODEL'],
          [2, 1, 1, 5, 1, 'CLIP'],
          [4, 1, 1, 3, 0, 'CLIP'],
        ],
      ),
      infoOf,
    );
    expect(Object.keys(nodes)).toEqual(['1', '2', '3', '9']);
    expect(nodes['2']![1]).toEqual({ clip: ['1', 1] });
    expect(nodes['9']![1]).toEqual({ seed: 5, model: ['1', 0] });
  });

  test('goes by patterns of titles and inputs, the more special one first', () => {
    const nodes = converted(
      file(
        [
          loader,
          { ...loader, id: 7 },
          text(2, { title: 'the face' }),
          text(3),
          everywhere(5, 'Anything Everywhere', [1]),
          everywhere(6, 'Anything Everywhere?', [2], { widgets_values: ['face', '.*', '.*'] }),
        ],
        [
          [1, 1, 1, 5, 0, 'CLIP'],
          [2, 7, 1, 6, 0, 'CLIP'],
        ],
      ),
      infoOf,
    );
    expect([nodes['2']![1], nodes['3']![1]]).toEqual([{ clip: ['7', 1] }, { clip: ['1', 1] }]);
  });

  test('prompts by names of inputs, and a seed for widgets made inputs', () => {
    const nodes = converted(
      file(
        [
          text(2),
          text(3),
          sample(),
          everywhere(5, 'Prompts Everywhere', [1, 2]),
          { id: 6, type: 'Seed Everywhere', outputs: [output('INT')], widgets_values: [77, 'fixed'] },
        ],
        [
          [1, 2, 0, 5, 0, 'CONDITIONING'],
          [2, 3, 0, 5, 1, 'CONDITIONING'],
        ],
      ),
      infoOf,
    );
    expect(nodes['9']![1]).toEqual({ seed: ['6', 0], positive: ['2', 0], negative: ['3', 0] });
    expect(nodes['6']).toEqual(['PrimitiveInt', { value: 77 }]);
  });

  test('two that would both do send nothing; what the file says they found counts', () => {
    const senders = [
      loader,
      { ...loader, id: 7 },
      text(2),
      everywhere(5, 'Anything Everywhere', [1]),
      everywhere(6, 'Anything Everywhere', [2]),
    ];
    const links = [
      [1, 1, 1, 5, 0, 'CLIP'],
      [2, 7, 1, 6, 0, 'CLIP'],
    ] as const;
    const found = {
      downstream: 2,
      downstream_slot: 0,
      upstream: '7',
      upstream_slot: 1,
      controller: 6,
      type: 'CLIP',
    };
    expect(converted(file(senders, links), infoOf)['2']![1]).toEqual({});
    expect(converted(file(senders, links, { extra: { ue_links: [found] } }), infoOf)['2']![1]).toEqual({
      clip: ['7', 1],
    });
  });
});
