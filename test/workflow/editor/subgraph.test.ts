import { describe, expect, test } from 'vitest';
import { converted, file, input, output, widgetInput } from './editor-files.js';

const link = (id: number, from: number, slot: number, to: number, toSlot: number, type: string) => ({
  id,
  origin_id: from,
  origin_slot: slot,
  target_id: to,
  target_slot: toSlot,
  type,
});

/** A picture of a width that the outside says, inverted. */
const drawing = {
  id: 'drawing',
  name: 'Drawing',
  inputs: [{ id: 'x', name: 'width', type: 'INT', linkIds: [1] }],
  outputs: [{ id: 'y', name: 'IMAGE', type: 'IMAGE', linkIds: [3] }],
  nodes: [
    {
      id: 5,
      type: 'EmptyImage',
      inputs: [widgetInput('width', 'INT', 1), widgetInput('height', 'INT')],
      outputs: [output('IMAGE')],
      widgets_values: [64, 32, 1, 255],
    },
    { id: 6, type: 'ImageInvert', inputs: [input('image', 'IMAGE', 2)], outputs: [output('IMAGE')] },
  ],
  links: [link(1, -10, 0, 5, 0, 'INT'), link(2, 5, 0, 6, 0, 'IMAGE'), link(3, 6, 0, -20, 0, 'IMAGE')],
};

const host = (id: number, more: object = {}) => ({
  id,
  type: 'drawing',
  inputs: [widgetInput('width', 'INT')],
  outputs: [output('IMAGE')],
  ...more,
});
const save = { id: 9, type: 'SaveImage', inputs: [input('images', 'IMAGE', 1)], widgets_values: ['x'] };
const using = (node: ReturnType<typeof host>, more: object[] = []) =>
  file([node, save, ...(more as ReturnType<typeof host>[])], [[1, 1, 0, 9, 0, 'IMAGE']], {
    definitions: { subgraphs: [drawing] },
  });

const picture = (width: unknown, height = 32) => ['EmptyImage', { width, height, batch_size: 1, color: 255 }];

describe('a subgraph', () => {
  test('runs as the nodes in it, with their ids after that of the node that stands for them', () => {
    expect(converted(using(host(1)))).toEqual({
      9: ['SaveImage', { filename_prefix: 'x', images: ['1:6', 0] }],
      '1:5': picture(64),
      '1:6': ['ImageInvert', { image: ['1:5', 0] }],
    });
  });

  test('takes what is promoted from the node outside', () => {
    expect(converted(using(host(1, { widgets_values: [128] })))['1:5']).toEqual(picture(128));
  });

  test('takes proxyWidgets: of its inputs, and of nodes within', () => {
    const proxyWidgets = [
      ['-1', 'width'],
      ['5', 'height'],
      ['5', 'color'],
    ];
    const of = (values: unknown[]) =>
      converted(using(host(1, { properties: { proxyWidgets }, widgets_values: values })))['1:5'];
    expect(of([128, 96, null])).toEqual(picture(128, 96));
    expect(of([])).toEqual(picture(64));
  });

  test('takes a link from outside, and a primitive', () => {
    const linked = (type: string) =>
      converted(
        file(
          [
            host(1, { inputs: [widgetInput('width', 'INT', 2)], widgets_values: [128] }),
            save,
            { id: 3, type, inputs: [], outputs: [output('INT')], widgets_values: [200, 'fixed'] },
          ],
          [
            [1, 1, 0, 9, 0, 'IMAGE'],
            [2, 3, 0, 1, 0, 'INT'],
          ],
          { definitions: { subgraphs: [drawing] } },
        ),
      )['1:5'];
    expect(linked('PrimitiveInt')).toEqual(picture(['3', 0]));
    expect(linked('PrimitiveNode')).toEqual(picture(200));
  });

  test('is left out whole when muted', () => {
    expect(converted(using(host(1, { mode: 2 })))).toEqual({ 9: ['SaveImage', { filename_prefix: 'x' }] });
  });

  test('may be used twice, and within another', () => {
    const outer = {
      id: 'outer',
      name: 'Outer',
      inputs: [{ id: 'x', name: 'size', type: 'INT', linkIds: [1] }],
      outputs: [{ id: 'y', name: 'IMAGE', type: 'IMAGE', linkIds: [2] }],
      nodes: [host(4, { inputs: [widgetInput('width', 'INT', 1)], widgets_values: [77] })],
      links: [link(1, -10, 0, 4, 0, 'INT'), link(2, 4, 0, -20, 0, 'IMAGE')],
    };
    const nodes = converted(
      file(
        [
          { ...host(1, { widgets_values: [10] }), type: 'outer', inputs: [widgetInput('size', 'INT')] },
          { ...host(2, { widgets_values: [] }), type: 'outer', inputs: [widgetInput('size', 'INT')] },
          host(3, { widgets_values: [30] }),
          save,
        ],
        [[1, 1, 0, 9, 0, 'IMAGE']],
        { definitions: { subgraphs: [outer, drawing] } },
      ),
    );
    expect(Object.keys(nodes)).toEqual(['9', '1:4:5', '1:4:6', '2:4:5', '2:4:6', '3:5', '3:6']);
    expect(nodes['9']![1]).toMatchObject({ images: ['1:4:6', 0] });
    expect(['1:4:5', '2:4:5', '3:5'].map((id) => nodes[id])).toEqual([picture(10), picture(77), picture(30)]);
  });

  test('that contains itself is refused', () => {
    const endless = { ...drawing, nodes: [host(7)], links: [] };
    expect(() => converted(file([host(1)], [], { definitions: { subgraphs: [endless] } }))).toThrow(
      /subgraphs contain themselves/,
    );
  });

  test('gets what a SetNode around it sets', () => {
    const getting = {
      ...drawing,
      inputs: [],
      nodes: [
        { id: 5, type: 'GetNode', inputs: [], outputs: [output('IMAGE')], widgets_values: ['pic'] },
        { id: 6, type: 'ImageInvert', inputs: [input('image', 'IMAGE', 2)], outputs: [output('IMAGE')] },
      ],
      links: [link(2, 5, 0, 6, 0, 'IMAGE'), link(3, 6, 0, -20, 0, 'IMAGE')],
    };
    const nodes = converted(
      file(
        [
          { ...host(1), inputs: [] },
          save,
          { id: 2, type: 'EmptyImage', outputs: [output('IMAGE')], widgets_values: [64, 32, 1, 255] },
          {
            id: 3,
            type: 'SetNode',
            inputs: [input('IMAGE', 'IMAGE', 2)],
            outputs: [output('*')],
            widgets_values: ['pic'],
          },
        ],
        [
          [1, 1, 0, 9, 0, 'IMAGE'],
          [2, 2, 0, 3, 0, 'IMAGE'],
        ],
        { definitions: { subgraphs: [getting] } },
      ),
    );
    expect(nodes['1:6']).toEqual(['ImageInvert', { image: ['2', 0] }]);
  });
});

describe('a group node', () => {
  const group = {
    nodes: [
      {
        index: 0,
        type: 'EmptyImage',
        inputs: [],
        outputs: [output('IMAGE')],
        widgets_values: [64, 32, 1, 255],
      },
      { index: 1, type: 'Reroute', inputs: [input('', '*')], outputs: [output('IMAGE', '')] },
      { index: 2, type: 'ImageInvert', inputs: [input('image', 'IMAGE')], outputs: [output('IMAGE')] },
      {
        index: 3,
        type: 'EmptyImage',
        title: 'Other',
        inputs: [],
        outputs: [output('IMAGE')],
        widgets_values: [8, 8, 1, 0],
      },
      {
        index: 4,
        type: 'ImageBlend',
        inputs: [input('image1', 'IMAGE'), input('image2', 'IMAGE')],
        outputs: [output('IMAGE')],
        widgets_values: [0.5, 'normal'],
      },
    ],
    links: [
      [0, 0, 1, 0, 10, 'IMAGE'],
      [1, 0, 2, 0, 11, 'IMAGE'],
      [2, 0, 4, 0, 12, 'IMAGE'],
    ],
    external: [],
  };

  test('runs as its nodes, with its own values, inputs and outputs', () => {
    const nodes = converted(
      file(
        [
          {
            id: 7,
            type: 'workflow>Pair',
            inputs: [input('image2', 'IMAGE', 2)],
            outputs: [output('IMAGE', 'EmptyImage IMAGE'), output('IMAGE')],
            widgets_values: [128, 96, 1, 7, 16, 24, 1, 9, 0.25, 'screen'],
          },
          { ...save, inputs: [input('images', 'IMAGE', 1)] },
          { id: 2, type: 'EmptyImage', outputs: [output('IMAGE')], widgets_values: [64, 32, 1, 255] },
        ],
        [
          [1, 7, 1, 9, 0, 'IMAGE'],
          [2, 2, 0, 7, 0, 'IMAGE'],
        ],
        { extra: { groupNodes: { Pair: group } } },
      ),
    );
    expect(nodes).toEqual({
      2: picture(64),
      9: ['SaveImage', { filename_prefix: 'x', images: ['7:4', 0] }],
      '7:0': ['EmptyImage', { width: 128, height: 96, batch_size: 1, color: 7 }],
      '7:2': ['ImageInvert', { image: ['7:0', 0] }],
      '7:3': ['EmptyImage', { width: 16, height: 24, batch_size: 1, color: 9 }],
      '7:4': [
        'ImageBlend',
        { blend_factor: 0.25, blend_mode: 'screen', image1: ['7:2', 0], image2: ['2', 0] },
      ],
    });
  });
});
