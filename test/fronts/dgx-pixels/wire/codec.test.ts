import { encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import {
  decodeMap,
  decodeRequest,
  encodeMessage,
  encodeRequest,
} from '../../../../src/fronts/dgx-pixels/wire/codec.js';
import { wireTypes } from '../../../support/wire-types.js';

const generate = {
  type: 'generate',
  id: 'a',
  prompt: 'knight',
  model: 'tiny',
  size: [64, 64],
  steps: 4,
  cfg_scale: 7,
};

describe('requests', () => {
  test('a generate of an old client', () => {
    expect(decodeRequest(encode(generate))).toEqual(generate);
  });

  // Byte for byte as rmp_serde's `to_vec_named` writes DGX-Pixels' enums: tagged inside, tuples as lists, f32 as float 32.
  test.each([
    ['ping', ['81 a4', 'type', 'a4', 'ping'], { type: 'ping' }],
    ['list_models', ['81 a4', 'type', 'ab', 'list_models'], { type: 'list_models' }],
    ['status', ['81 a4', 'type', 'a6', 'status'], { type: 'status' }],
    [
      'cancel',
      ['82 a4', 'type', 'a6', 'cancel', 'a6', 'job_id', 'a7', 'job-001'],
      { type: 'cancel', job_id: 'job-001' },
    ],
    [
      'generate',
      [
        ...['88 a4', 'type', 'a8', 'generate', 'a2', 'id', 'a7', 'job-001', 'a6', 'prompt', 'a6', 'knight'],
        ...[
          'a5',
          'model',
          'a9',
          'sdxl-base',
          'a4',
          'lora',
          'a8',
          'pixelart',
          'a4',
          'size',
          '92 cd0400 cd0300',
        ],
        ...['a5', 'steps', '1e', 'a9', 'cfg_scale', 'ca40f00000'],
      ],
      {
        type: 'generate',
        id: 'job-001',
        prompt: 'knight',
        model: 'sdxl-base',
        lora: 'pixelart',
        size: [1024, 768],
        steps: 30,
        cfg_scale: 7.5,
      },
    ],
  ])('a %s of the Rust client', (_, parts, expected) => {
    const bytes = parts.map((part) =>
      /^[\da-f ]+$/.test(part) && part !== 'a'
        ? Buffer.from(part.replaceAll(' ', ''), 'hex')
        : Buffer.from(part),
    );
    expect(decodeRequest(Buffer.concat(bytes))).toEqual(expected);
  });

  test('nil is the same as a field left out', () => {
    expect(decodeRequest(encode({ ...generate, lora: null, tileset_grid: null }))).toMatchObject({
      lora: undefined,
      tileset_grid: undefined,
    });
  });

  test('integers of 64 bits, as some clients send every integer', () => {
    const sent = { ...generate, steps: 4n, size: [64n, 64n], cfg_scale: 7n, seed: 2n ** 64n - 1n };
    expect(decodeRequest(encodeRequest(sent))).toMatchObject({
      steps: 4,
      size: [64, 64],
      cfg_scale: 7,
      seed: 2n ** 64n - 1n,
    });
  });

  test('fields nobody knows are passed over', () => {
    expect(decodeRequest(encode({ type: 'ping', extra: [1, { a: 2 }] }))).toEqual({ type: 'ping' });
  });

  test.each([
    ['not MessagePack', Uint8Array.of(0xc1), 'not MessagePack'],
    ['empty', new Uint8Array(), 'not MessagePack: it is empty'],
    ['JSON', Buffer.from('{"type": "ping"}'), 'not MessagePack'],
    ['a list', encode([1, 2]), 'not a MessagePack map'],
    ['a text', encode('ping'), 'not a MessagePack map'],
    ['a date', encode(new Date()), 'not a MessagePack map'],
    ['a map without type', encode({ id: 'x' }), 'no text field "type"'],
    ['a type that is binary', encode({ type: Buffer.from('ping') }), 'no text field "type"'],
    ['an unknown type', encode({ type: 'dance' }), 'unknown request type "dance", expected generate, cancel'],
    ['a map that names its prototype', encode(JSON.parse('{"__proto__": 1}')), "can't be read"],
    ['a generate without steps', encode({ ...generate, steps: undefined }), 'generate: field steps'],
    ['a text for steps', encode({ ...generate, steps: '4' }), 'generate: field steps: expected an integer'],
    ['negative steps', encode({ ...generate, steps: -4 }), 'steps: expected an integer of at least 0'],
    ['half a step', encode({ ...generate, steps: 4.5 }), 'steps: expected an integer of at least 0'],
    ['three sizes', encode({ ...generate, size: [1, 2, 3] }), 'size: expected a list of two integers'],
    ['a text in the size', encode({ ...generate, size: [64, 'x'] }), 'size.1: expected an integer'],
    ['a text for cfg', encode({ ...generate, cfg_scale: '7' }), 'cfg_scale: expected a number'],
    ['a seed beyond 64 bits', encode({ ...generate, seed: -1 }), 'seed: expected an integer from 0 to 2^64'],
    ['a cancel of nothing', encode({ type: 'cancel' }), 'cancel: field job_id is missing'],
    ['a number for a workflow', encode({ ...generate, workflow: 4 }), "workflow: expected a template's name"],
    [
      'more values than any workflow has',
      encode({ type: 'ping', filler: Array.from({ length: 50_000 }, () => 0) }),
      'too large: it has more than 50000 values',
    ],
    ['more than 1 MB', encode({ type: 'ping', filler: 'x'.repeat(1_000_000) }), 'over the limit of 1000000'],
  ])('%s is refused', (_, message, reason) => {
    expect(() => decodeRequest(message)).toThrow(reason);
  });
});

describe('what the daemon says', () => {
  test('whole numbers are integers on the wire, whatever their size', () => {
    const timestamp = 2 ** 33;
    const message = encodeMessage({ type: 'job_started', job_id: 'ä', timestamp });
    expect(wireTypes(message)).toEqual({ type: 'str', job_id: 'str', timestamp: 'uint' });
    expect(decodeMap(message)).toEqual({ type: 'job_started', job_id: 'ä', timestamp: BigInt(timestamp) });
  });
});
