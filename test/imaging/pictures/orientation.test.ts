import { expect, it } from 'vitest';
import { exifOrientation } from '../../../src/imaging/pictures/orientation.js';

const ORIENTATION = 0x112;
const [BYTE, SHORT, LONG, SIGNED_SHORT] = [1, 3, 4, 8];

/** An EXIF block of one directory, little-endian, with `room` bytes behind it. */
function block(
  tags: readonly (readonly [tag: number, type: number, count: number, value: number])[],
  room = 0,
) {
  const bytes = Buffer.alloc(8 + 2 + tags.length * 12 + 4 + room);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, type, count, value], index) => {
    const at = 10 + index * 12;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  });
  return bytes;
}

it.each([
  ['a number', SHORT, 1, 6, 6],
  ['a long number', LONG, 1, 8, 8],
  ['the first of several', SHORT, 2, 3 | (5 << 16), 3],
  ['a signed number', SIGNED_SHORT, 1, 0xffff, -1],
  ['bytes, which are no number', BYTE, 1, 6, undefined],
])('%s', (_, type, count, value, expected) => {
  expect(exifOrientation(block([[ORIENTATION, type, count, value]]))).toBe(expected);
});

it('reads up to the first tag that leads out of the block, behind Exif markers', () => {
  const bytes = block([
    [ORIENTATION, SHORT, 1, 2],
    [300, LONG, 100, 8],
    [ORIENTATION, SHORT, 1, 5],
  ]);
  expect(exifOrientation(Buffer.concat([Buffer.from('Exif\0\0Exif\0\0'), bytes]))).toBe(2);
  expect(exifOrientation(Buffer.from('Exif\0\0'))).toBeUndefined();
});

it.each([
  ['no header', Buffer.from('JFIF and more')],
  ['a BigTIFF', Buffer.from('II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0', 'latin1')],
])('refuses %s', (_, bytes) => {
  expect(() => exifOrientation(bytes)).toThrow('its EXIF block is damaged');
});

it('costs no more than it is long, though each of its tags claims all of it', () => {
  // Read at once, these would be 65 billion numbers.
  const claims = Array.from({ length: 65_000 }, (_, index) => [index, BYTE, 1_000_000, 8] as const);
  const tags = claims.map((claim) =>
    claim[0] === ORIENTATION ? ([ORIENTATION, SHORT, 1, 4] as const) : claim,
  );
  expect(exifOrientation(block(tags, 1_000_000))).toBe(4);
});
