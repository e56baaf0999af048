import { describe, expect, test } from 'vitest';
import { converted, file, input, output, widgetInput } from './editor-files.js';

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

describe('what the editor does when a workflow is queued', () => {
  const prompt = (text: string) =>
    file([{ id: 1, type: 'CLIPTextEncode', inputs: [input('clip', 'CLIP')], widgets_values: [text] }]);

  test('one of {a|b} in prompts, and nowhere else', () => {
    expect(converted(prompt('a {red|blue} cat // no'), undefined, () => 0.5)['1']![1]).toEqual({
      text: 'a blue cat ',
    });
    expect(converted(file([save(1, null, { widgets_values: ['{a|b}'] })]))['1']![1]).toEqual({
      filename_prefix: '{a|b}',
    });
  });

  test('dates and values of other nodes in file names', () => {
    const nodes = converted(
      file([
        image(1, { title: 'Canvas' }),
        save(2, null, {
          widgets_values: ['%date:yyyy-MM-dd_hhmmss%/%Canvas.width%_%EmptyImage.height%_%year%_%none.x%'],
        }),
      ]),
    );
    expect(nodes['2']![1]).toEqual({
      filename_prefix: '2026-11-30_070809/64_%EmptyImage.height%_%year%_%none.x%',
    });
  });

  test('nodes with whole numbers for ids come first, in their order', () => {
    const nodes = converted(file([image(10), image(9), { ...image(0), id: 'b' }, image(2)]));
    expect(Object.keys(nodes)).toEqual(['2', '9', '10', 'b']);
  });
});

test('schema 1.0 has links as objects', () => {
  const nodes = converted({
    version: 1,
    nodes: [image(1), save(2, 1)],
    links: [{ id: 1, origin_id: 1, origin_slot: 0, target_id: 2, target_slot: 0, type: 'IMAGE' }],
    reroutes: [{ id: 1, pos: [0, 0], linkIds: [1] }],
  });
  expect(nodes['2']![1]).toEqual({ filename_prefix: 'x', images: ['1', 0] });
});

describe('classes that are not there', () => {
  test('values by names, and by the inputs that the file lists', () => {
    const nodes = converted(
      file([
        { id: 1, type: 'Foreign', widgets_values: { a: 1, videopreview: { hidden: false } } },
        {
          id: 2,
          type: 'Foreign',
          inputs: [widgetInput('seed', 'INT'), widgetInput('mode', 'COMBO')],
          widgets_values: [5, 'fixed', 'soft'],
        },
      ]),
    );
    expect(nodes).toEqual({ 1: ['Foreign', { a: 1 }], 2: ['Foreign', { seed: 5, mode: 'soft' }] });
  });

  test('what has no names is left out', () => {
    const nodes = converted(
      file([{ id: 1, type: 'Foreign', inputs: [widgetInput('b', 'INT')], widgets_values: ['a', 5] }]),
    );
    expect(nodes).toEqual({ 1: ['Foreign', {}] });
  });
});
