/** The one bar of every command: on a terminal, and nothing elsewhere. */
import type { Options, Params, SingleBar } from 'cli-progress';
import { safeLine } from '../safe-text.js';
import { isQuiet } from './terminal.js';

const WIDTH = 30;
const REDRAW_MS = 100;

/** What stands before and behind the bar. */
export interface BarTexts {
  readonly before?: string;
  readonly behind?: string;
}

export class Bar {
  private running = false;
  private drawn = -Infinity;
  private texts = '';

  private constructor(private readonly bar: SingleBar | undefined) {}

  /** A bar on `stream`; it says nothing where that is no terminal, and under --quiet. */
  static async open(stream: NodeJS.WriteStream): Promise<Bar> {
    if (!stream.isTTY || isQuiet()) return new Bar(undefined);
    const { SingleBar: Single } = await import('cli-progress');
    return new Bar(new Single({ stream, format: render, hideCursor: true, clearOnComplete: true }));
  }

  /** Whether anybody sees it. */
  get isShown(): boolean {
    return this.bar !== undefined;
  }

  /** How far it is; without a `total` there are texts alone. */
  show(value: number, total: number, { before = '', behind = '' }: BarTexts = {}): void {
    if (this.bar === undefined) return;
    const payload = { before: safeLine(before, 60), behind: safeLine(behind, 80) };
    const now = performance.now();
    if (!this.running) this.bar.start(total, value, payload);
    // The first of each kind is drawn at once, and what follows as often as one can read.
    else if (now - this.drawn < REDRAW_MS && before === this.texts && value < total) return;
    this.running = true;
    this.drawn = now;
    this.texts = before;
    if (this.bar.getTotal() !== total) this.bar.setTotal(total);
    this.bar.update(value, payload);
  }

  /** Clears it and gives the cursor back. What is written next isn't drawn over; `show` draws it again. */
  stop(): void {
    if (this.running) this.bar?.stop();
    this.running = false;
  }
}

function render(_: Options, { total, progress }: Params, { before, behind }: Required<BarTexts>): string {
  const done = Math.round(progress * WIDTH);
  const bar = total === 0 ? '' : `${'█'.repeat(done)}${'░'.repeat(WIDTH - done)}`;
  return [before, bar, behind].filter((text) => text !== '').join(' ');
}
