/**
 * Raw frames with exact timestamps, as a stream that ffmpeg reads: the NUT container (https://ffmpeg.org/~michael/nut.txt, version 3), one
 * stream, one kind of frame code, a syncpoint before each frame. Raw video by itself would know frame rates alone.
 */
import type { Rational } from './rational.js';

/** Of RGB frames: 8 or 16 bits a channel, little end first. */
export type RawFormat = 'rgb24' | 'rgb48le' | 'rgba' | 'rgba64le';

/** ffmpeg's tags (libavcodec/raw.c). */
const TAGS: Readonly<Record<RawFormat, string>> = {
  rgb24: 'RGB\x18',
  rgb48le: 'RGB0',
  rgba: 'RGBA',
  rgba64le: 'RBA@',
};

const MAIN = 0x4e4d7a561f5f04adn;
const STREAM = 0x4e5311405bf2f9dbn;
const SYNCPOINT = 0x4e4be4adeeca4569n;

const MSB_PTS_SHIFT = 7;
/** Keyframe, timestamp written out, size written out, checksum of the header. */
const FRAME_FLAGS = 1 | 8 | 32 | 64;
const INVALID = 8192;
/** Beyond it a frame needs a syncpoint before and a checksum, which each has here. */
const MAX_DISTANCE = 32768;

export interface RawStream {
  readonly width: number;
  readonly height: number;
  readonly format: RawFormat;
  readonly timeBase: Rational;
}

/** What comes before the first frame. */
export function nutHeader({ width, height, format, timeBase }: RawStream): Buffer {
  const main = Buffer.concat([
    varint(3), // version
    varint(1), // streams
    varint(MAX_DISTANCE),
    varint(1), // time bases
    varint(timeBase.num),
    varint(timeBase.den),
    // Frame code 0: flags, six fields: pts delta, multiplier, stream, size, reserved, how many codes.
    ...[FRAME_FLAGS, 6, 0, 1, 0, 0, 0, 1].map(varint),
    // The rest, without 'N', which is never a frame code.
    ...[INVALID, 6, 0, 1, 0, 0, 0, 254].map(varint),
    varint(0), // elision headers
  ]);
  const stream = Buffer.concat([
    varint(0), // id
    varint(0), // video
    bytes(Buffer.from(TAGS[format], 'latin1')),
    varint(0), // time base
    varint(MSB_PTS_SHIFT),
    varint(1), // longest jump of timestamps without a checksum
    varint(0), // decode delay
    varint(0), // flags
    varint(0), // codec's own data
    varint(width),
    varint(height),
    varint(0), // sample aspect: unknown
    varint(0),
    varint(0), // colour space: unknown
  ]);
  return Buffer.concat([
    Buffer.from('nut/multimedia container\0'),
    packet(MAIN, main),
    packet(STREAM, stream),
  ]);
}

/** What comes before the bytes of a frame shown at `pts`, from 0, in units of the time base. */
export function nutFrameHeader(pts: number, byteLength: number): Buffer {
  const frame = Buffer.concat([varint(0), varint(pts + (1 << MSB_PTS_SHIFT)), varint(byteLength)]);
  return Buffer.concat([packet(SYNCPOINT, Buffer.concat([varint(pts), varint(0)])), frame, checksum(frame)]);
}

function packet(startcode: bigint, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(startcode);
  // Counts the checksum at the end; short enough to have none of its own.
  return Buffer.concat([head, varint(body.length + 4), body, checksum(body)]);
}

/** Seven bits a byte, the high ones first. */
function varint(value: number): Buffer {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift((rest % 128) | 128);
  return Buffer.from(digits);
}

function bytes(value: Buffer): Buffer {
  return Buffer.concat([varint(value.length), value]);
}

/** CRC-32 with the polynomial 0x04C11DB7, bits not reflected, starting with 0. */
function checksum(data: Buffer): Buffer {
  let crc = 0;
  for (const byte of data) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  const out = Buffer.alloc(4);
  out.writeInt32BE(crc | 0);
  return out;
}
