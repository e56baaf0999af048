/** Messages that no client of the protocol sends, each to be answered with an error. */
import { encode } from '@msgpack/msgpack';
import { generate } from './daemon-process.js';

/** Bytes that announce what doesn't follow, or nest as deep as they are long. */
const deep = (head: readonly number[], levels: number) =>
  Uint8Array.from({ length: levels * head.length + 1 }, (_, index) => head[index % head.length]!);

/** Numbers that look random and are the same in every run (Lehmer's generator, MINSTD). */
function* noise(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (state * 48_271) % (2 ** 31 - 1);
    yield state;
  }
}
const random = noise(20_250_101);
const below = (limit: number) => random.next().value % limit;

const mapOf = (key: string, ...value: readonly number[]) =>
  Uint8Array.of(0x81, 0xa0 + key.length, ...Buffer.from(key), ...value);

const ping = encode({ type: 'ping' });

export type HostileMessage = Uint8Array | readonly Uint8Array[];

/** One of each kind, in turn; some are drawn anew each time. */
export const HOSTILE_KINDS: readonly (() => HostileMessage)[] = [
  () => new Uint8Array(),
  () => Uint8Array.of(0xc1),
  () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  () => Buffer.from('{"type":"ping"}'),
  () => encode(['ping']),
  () => encode({ type: `x${below(1e9)}` }),
  () => encode({ type: Buffer.from('ping') }),
  () => encode({ type: 'cancel' }),
  () => encode({ type: 'cancel', job_id: 5 }),
  () => encode({ type: 'status', job_id: [1] }),
  () => encode({ ...generate(), steps: 'four' }),
  () => encode({ ...generate(), steps: -1 }),
  () => encode({ ...generate(), size: [64] }),
  () => encode({ ...generate(), prompt: null }),
  () => encode({ ...generate(), seed: 1.5 }),
  () => encode({ ...generate(), workflow: [1, 2] }),
  () => encode(new Date()),
  // Cut short anywhere.
  () => {
    const whole = encode(generate());
    return whole.subarray(0, below(whole.byteLength));
  },
  () => Buffer.concat([ping, ping]),
  () => Uint8Array.from({ length: 1 + below(400) }, () => below(256)),
  // Four billion elements, in five bytes.
  () => Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
  () => Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff),
  () => mapOf('type', 0xdb, 0xff, 0xff, 0xff, 0xff),
  () => mapOf('type', 0xc6, 0xff, 0xff, 0xff, 0xff),
  () => mapOf('type', 0xc9, 0xff, 0xff, 0xff, 0xff, 0x01),
  () => mapOf('__proto__', 0x01),
  // Neither UTF-8 nor a surrogate's half is text.
  () => mapOf('type', 0xa2, 0xc3, 0x28),
  () => deep([0x91], 2000),
  () => deep([0x81, 0xa1, 0x61], 2000),
  () => [ping, ping],
  () => Array.from({ length: 1 + below(100) }, () => new Uint8Array()).concat(ping, ping),
];

/** Kinds that are as large as messages may be, or larger. */
export const LARGE_KINDS: readonly (() => HostileMessage)[] = [
  () => encode({ type: 'ping', filler: 'x'.repeat(1_000_000) }),
  () => encode({ type: 'ping', filler: 'x'.repeat(15_000_000) }),
  () => deep([0x91], 999_000),
  () => new Uint8Array(999_000).fill(0x80),
  // As many headers as fit, each of which announces as much as could follow it.
  () => deep([0xdd, 0, 0x0f, 0, 0], 199_000),
  () => Array.from({ length: 100_000 }, () => ping),
];

/** One kind after the other, `count` messages in all. */
export function* hostileMessages(count: number): Generator<HostileMessage, void> {
  for (let index = 0; index < count; index++) yield HOSTILE_KINDS[index % HOSTILE_KINDS.length]!();
}
