import { describe, expect, test } from 'vitest';
import { convertEditorWorkflow } from '../../../src/workflow/editor/convert.js';
import { parseJson } from '../../../src/python/json.js';
import type { LiteralObject } from '../../../src/workflow/literal.js';
import { classInfo, converted, file, input, output, widgetInput, withClasses } from './editor-files.js';

const image = (id: number, more: object = {}) => ({
  id,
  type: 'EmptyImage',
  inputs: [],
  outputs: [output('IMAGE')],
  widgets_values: [64, 32, 1, 255],
  ...more,
});
const save = (id: number, link: number | null, more: object = {}) => ({
  id,
  type: 'SaveImage',
  inputs: [input('images', 'IMAGE', link)],
  outputs: [],
  widgets_values: ['x'],
  ...more,
});
const imageInputs = { width: 64, height: 32, batch_size: 1, color: 255 };

describe('widgets', () => {
  const sampler = (values: unknown, inputs: object[] = []) =>
    file([
      {
        id: 3,
        type: 'KSampler',
        inputs: [input('model', 'MODEL'), ...inputs],
        outputs: [output('LATENT')],
        widgets_values: values,
      },
    ]);
  const expected = {
    seed: 7,
    steps: 20,
    cfg: 8,
    sampler_name: 'euler',
    scheduler: 'normal',
    denoise: 1,
  };

  test('by their order, with what becomes of the seed between them', () => {
    const nodes = converted(sampler([7, 'randomize', 20, 8, 'euler', 'normal', 1]));
    expect(nodes['3']).toEqual(['KSampler', expected]);
  });

  test('by their names', () => {
    const nodes = converted(
      sampler({ denoise: 1, scheduler: 'normal', sampler_name: 'euler', cfg: 8, steps: 20, seed: 7 }),
    );
    expect(nodes['3']![1]).toEqual(expected);
  });

  test('those that the class has got since start with their defaults', () => {
    const infoOf = withClasses(
      classInfo('Grown', { a: ['INT', { default: 1 }], b: ['STRING', { default: 'new' }] }),
    );
    expect(converted(file([{ id: 1, type: 'Grown', widgets_values: [5] }]), infoOf)['1']![1]).toEqual({
      a: 5,
      b: 'new',
    });
  });

  test('a seed beyond 2^53 keeps its digits', () => {
    const infoOf = withClasses(classInfo('Seeded', { seed: ['INT', {}] }));
    const text =
      '{"nodes": [{"id": 1, "type": "Seeded", "widgets_values": [18446744073709551615, "fixed"]}]}';
    const { prompt } = convertEditorWorkflow(parseJson(text, 9) as LiteralObject, { infoOf });
    expect((prompt.get('1') as LiteralObject).get('inputs')).toEqual(new Map([['seed', 2n ** 64n - 1n]]));
  });

  test('an input made of a widget gives the link, and the widget keeps its place', () => {
    const nodes = converted(
      file(
        [
          image(1, { inputs: [widgetInput('height', 'INT', 4)] }),
          {
            id: 2,
            type: 'PrimitiveInt',
            inputs: [],
            outputs: [output('INT')],
            widgets_values: [48, 'fixed'],
          },
        ],
        [[4, 2, 0, 1, 0, 'INT']],
      ),
    );
    expect(nodes['1']![1]).toEqual({ ...imageInputs, height: ['2', 0] });
  });

  test('values of a dynamic list are those of what is chosen', () => {
    const options = [
      { key: 'none', inputs: { required: {} } },
      {
        key: 'scale',
        inputs: { required: { factor: ['FLOAT', { default: 2 }], method: [['area', 'bilinear'], {}] } },
      },
    ];
    const infoOf = withClasses(
      classInfo('Resize', { mode: ['COMFY_DYNAMICCOMBO_V3', { options }], crop: ['BOOLEAN', {}] }),
    );
    const of = (values: unknown[]) =>
      converted(file([{ id: 1, type: 'Resize', widgets_values: values }]), infoOf)['1']![1];
    expect(of(['none', true])).toEqual({ mode: 'none', crop: true });
    expect(of(['scale', 1.5, 'area', true])).toEqual({
      mode: 'scale',
      'mode.factor': 1.5,
      'mode.method': 'area',
      crop: true,
    });
  });

  test('lists are marked as values', () => {
    const infoOf = withClasses(classInfo('Lists', { points: ['COMBO', { multiselect: true }] }));
    expect(
      converted(file([{ id: 1, type: 'Lists', widgets_values: { points: [1, 2] } }]), infoOf)['1']![1],
    ).toEqual({
      points: { __value__: [1, 2] },
    });
  });

  test('an upload button takes the last place', () => {
    const infoOf = withClasses(
      classInfo('Load', { image: [['a.png'], { image_upload: true }], channel: [['red', 'alpha'], {}] }),
    );
    expect(
      converted(file([{ id: 1, type: 'Load', widgets_values: ['a.png', 'alpha', 'image'] }]), infoOf)[
        '1'
      ]![1],
    ).toEqual({
      image: 'a.png',
      channel: 'alpha',
    });
  });

  test('of a class with other widgets now, values go by the names that the file has', () => {
    const infoOf = withClasses(
      classInfo('Moved', { added: ['FLOAT', { default: 3 }], text: ['STRING', {}], size: ['INT', {}] }),
    );
    const inputs = [widgetInput('text', 'STRING'), widgetInput('size', 'INT')];
    expect(
      converted(file([{ id: 1, type: 'Moved', inputs, widgets_values: ['abc', 9] }]), infoOf)['1']![1],
    ).toEqual({
      added: 3,
      text: 'abc',
      size: 9,
    });
  });

  test('without names, the error says which widget and what the class has now', () => {
    const infoOf = withClasses(
      classInfo('Moved', { added: ['FLOAT', { default: 3 }], text: ['STRING', {}] }),
    );
    expect(() => converted(file([{ id: 8, type: 'Moved', widgets_values: ['abc', 'def'] }]), infoOf)).toThrow(
      /node 8 \(Moved\): .*added would be 'abc', which is no FLOAT; the class has added, text now/,
    );
  });
});

describe('what only the editor knows', () => {
  test('Reroute, Note and MarkdownNote', () => {
    const nodes = converted(
      file(
        [
          image(1),
          { id: 5, type: 'Reroute', inputs: [input('', '*', 1)], outputs: [output('IMAGE', '')] },
          { id: 6, type: 'Reroute', inputs: [input('', '*', 2)], outputs: [output('IMAGE', '')] },
          save(2, 3),
          { id: 7, type: 'Note', widgets_values: ['hello'] },
          { id: 8, type: 'MarkdownNote', widgets_values: ['hello'] },
        ],
        [
          [1, 1, 0, 5, 0, '*'],
          [2, 5, 0, 6, 0, '*'],
          [3, 6, 0, 2, 0, 'IMAGE'],
        ],
      ),
    );
    expect(nodes).toEqual({
      1: ['EmptyImage', imageInputs],
      2: ['SaveImage', { filename_prefix: 'x', images: ['1', 0] }],
    });
  });

  test('a primitive gives its value, through Reroutes too', () => {
    const nodes = converted(
      file(
        [
          image(1, { inputs: [widgetInput('width', 'INT', 1), widgetInput('height', 'INT', 3)] }),
          {
            id: 4,
            type: 'PrimitiveNode',
            inputs: [],
            outputs: [output('INT')],
            widgets_values: [96, 'randomize'],
          },
          { id: 5, type: 'Reroute', inputs: [input('', '*', 2)], outputs: [output('INT', '')] },
        ],
        [
          [1, 4, 0, 1, 0, 'INT'],
          [2, 4, 0, 5, 0, 'INT'],
          [3, 5, 0, 1, 1, 'INT'],
        ],
      ),
    );
    expect(nodes['1']![1]).toEqual({ ...imageInputs, width: 96, height: 96 });
  });

  test('what a muted node would give is left out', () => {
    const nodes = converted(file([image(1, { mode: 2 }), save(2, 1)], [[1, 1, 0, 2, 0, 'IMAGE']]));
    expect(nodes).toEqual({ 2: ['SaveImage', { filename_prefix: 'x' }] });
  });

  test('a bypassed node passes on the first input of the type, the one opposite before others, and by place to any type', () => {
    const infoOf = withClasses(
      classInfo('Source', {}, ['IMAGE', 'MASK', 'LATENT']),
      classInfo(
        'Middle',
        { extra: ['MASK'], mask: ['MASK'], image: ['IMAGE'], size: ['INT', { default: 1 }] },
        ['IMAGE', 'MASK', 'LATENT'],
      ),
      classInfo('Sink', { image: ['IMAGE'], mask: ['MASK'], latent: ['LATENT'], any: ['*'] }),
    );
    const bypassed = converted(
      file(
        [
          { id: 1, type: 'Source', outputs: [output('IMAGE'), output('MASK'), output('LATENT')] },
          {
            id: 2,
            type: 'Middle',
            mode: 4,
            // Another order than the class has: the class's counts.
            inputs: [input('image', 'IMAGE', 1), input('mask', 'MASK', 2), input('extra', 'MASK')],
            outputs: [output('IMAGE'), output('MASK'), output('LATENT')],
            widgets_values: [1],
          },
          {
            id: 3,
            type: 'Sink',
            inputs: [
              input('image', 'IMAGE', 3),
              input('mask', 'MASK', 4),
              input('latent', 'LATENT', 5),
              input('any', '*', 6),
            ],
          },
        ],
        [
          [1, 1, 0, 2, 0, 'IMAGE'],
          [2, 1, 1, 2, 1, 'MASK'],
          [3, 2, 0, 3, 0, 'IMAGE'],
          [4, 2, 1, 3, 1, 'MASK'],
          [5, 2, 2, 3, 2, 'LATENT'],
          [6, 2, 1, 3, 3, 'MASK'],
        ],
      ),
      infoOf,
    )['3']![1];

    expect(bypassed).toEqual({ image: ['1', 0], mask: ['1', 1], any: ['1', 1] });
  });

  test('Set and Get, one of a name through another', () => {
    const set = (id: number, name: string, link: number) => ({
      id,
      type: 'SetNode',
      inputs: [input('IMAGE', 'IMAGE', link)],
      outputs: [output('IMAGE')],
      widgets_values: [name],
    });
    const get = (id: number, name: string) => ({
      id,
      type: 'GetNode',
      inputs: [],
      outputs: [output('IMAGE')],
      widgets_values: [name],
    });
    const nodes = converted(
      file(
        [
          image(1),
          set(10, 'a', 1),
          get(11, 'a'),
          set(12, 'b', 2),
          get(13, 'b'),
          save(2, 3),
          get(14, 'nobody'),
          save(3, 4),
        ],
        [
          [1, 1, 0, 10, 0, 'IMAGE'],
          [2, 11, 0, 12, 0, 'IMAGE'],
          [3, 13, 0, 2, 0, 'IMAGE'],
          [4, 14, 0, 3, 0, 'IMAGE'],
        ],
      ),
    );
    expect(nodes['2']![1]).toEqual({ filename_prefix: 'x', images: ['1', 0] });
    expect(nodes['3']![1]).toEqual({ filename_prefix: 'x' });
    expect(Object.keys(nodes)).toEqual(['1', '2', '3']);
  });

  test("rgthree's Reroute, its remarks, its seeds, and one of several muted nodes", () => {
    const seed = classInfo('Seed (rgthree)', { seed: ['INT', {}] }, ['INT']);
    const nodes = converted(
      file(
        [
          image(1, { mode: 2 }),
          image(2, { mode: 2 }),
          { id: 5, type: 'Reroute (rgthree)', inputs: [input('', '*', 3)], outputs: [output('IMAGE', '')] },
          save(3, 4),
          { id: 6, type: 'Random Unmuter (rgthree)', inputs: [input('', '*', 1), input('', '*', 2)] },
          { id: 7, type: 'Label (rgthree)' },
          {
            id: 8,
            type: 'Seed (rgthree)',
            widgets_values: [-1, '', '', ''],
            properties: { randomMin: 10, randomMax: 20 },
          },
        ],
        [
          [1, 1, 0, 6, 0, 'IMAGE'],
          [2, 2, 0, 6, 1, 'IMAGE'],
          [3, 2, 0, 5, 0, '*'],
          [4, 5, 0, 3, 0, 'IMAGE'],
        ],
      ),
      withClasses(seed),
      () => 0.5,
    );
    expect(nodes).toEqual({
      2: ['EmptyImage', imageInputs],
      3: ['SaveImage', { filename_prefix: 'x', images: ['2', 0] }],
      8: ['Seed (rgthree)', { seed: 15 }],
    });
  });

  test('circles of links give nothing', () => {
    const reroute = (id: number, link: number) => ({
      id,
      type: 'Reroute',
      inputs: [input('', '*', link)],
      outputs: [output('IMAGE', '')],
    });
    const nodes = converted(
      file(
        [reroute(5, 2), reroute(6, 1), save(2, 3)],
        [
          [1, 5, 0, 6, 0, '*'],
          [2, 6, 0, 5, 0, '*'],
          [3, 6, 0, 2, 0, '*'],
        ],
      ),
    );
    expect(nodes['2']![1]).toEqual({ filename_prefix: 'x' });
  });
});
