/**
 * GPT-2's printable stand-ins for bytes, by byte: printable Latin-1 stands for itself, the rest are U+0100 and on (OpenAI
 * gpt-2 encoder.py, bytes_to_unicode).
 */
export const byteSymbols: readonly string[] = symbols();
/** Bytes as byte-level vocabularies begin with them: printable ones first. */
export const bytesInOrder: readonly number[] = inOrder();

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

function inOrder(): number[] {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  return [...all.filter(isPrintable), ...all.filter((byte) => !isPrintable(byte))];
}

function symbols(): string[] {
  const result: string[] = [];
  let unprintable = 0;
  for (let byte = 0; byte < 256; byte++) {
    result.push(String.fromCharCode(isPrintable(byte) ? byte : 0x100 + unprintable++));
  }
  return result;
}

export function inByteSymbols(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byteSymbols[byte]!).join('');
}
