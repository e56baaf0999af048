/** The few kinds of fields that a SentencePiece model has, read from the wire format of protocol buffers. */
export interface ProtobufField {
  readonly number: number;
  /** A varint, or the bytes of a fixed or length-delimited field. */
  readonly value: number | Uint8Array;
}

/** Throws `RangeError` where the message is cut short or damaged. */
export function* protobufFields(message: Uint8Array): Generator<ProtobufField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError('a number in it is cut short');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (count: number): Uint8Array => {
    if (at + count > message.length) throw new RangeError('a field in it is cut short');
    at += count;
    return message.subarray(at - count, at);
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: bytes(8) };
        break;
      case 2:
        yield { number, value: bytes(varint()) };
        break;
      case 5:
        yield { number, value: bytes(4) };
        break;
      default:
        throw new RangeError(`a field in it has the unknown kind ${key % 8}`);
    }
  }
}
