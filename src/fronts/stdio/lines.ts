/** Lines of a stream, whole ones, of a bounded length. */
import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

export interface LineHandlers {
  readonly line: (line: string) => void;
  /** A line was longer than it may be; none of it is kept. */
  readonly tooLong: () => void;
  /** No more will come. A last line without its newline was told before. */
  readonly end: () => void;
}

/** Reads lines until the stream ends; returns what stops it. */
export function readLines(input: Readable, maxBytes: number, handlers: LineHandlers): () => void {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  let length = 0;
  let isSkipping = false;
  const finishLine = () => {
    const line = parts.join('').replace(/\r$/, '');
    const skipped = isSkipping;
    parts = [];
    length = 0;
    isSkipping = false;
    if (!skipped && line.trim() !== '') handlers.line(line);
  };
  const take = (text: string) => {
    length += text.length;
    if (length <= maxBytes) parts.push(text);
    else if (!isSkipping) {
      isSkipping = true;
      parts = [];
      handlers.tooLong();
    }
  };
  const onData = (chunk: Buffer) => {
    const [first = '', ...rest] = decoder.write(chunk).split('\n');
    take(first);
    for (const text of rest) {
      finishLine();
      take(text);
    }
  };
  const onEnd = () => {
    take(decoder.end());
    finishLine();
    stop();
    handlers.end();
  };
  const stop = () => {
    input.off('data', onData);
    input.off('end', onEnd);
    input.off('error', onEnd);
    input.pause();
  };
  input.on('data', onData);
  input.on('end', onEnd);
  // A terminal that hangs up: nobody asks any more.
  input.on('error', onEnd);
  return stop;
}
