/** How much of a file is there: a bar on a terminal, and nothing elsewhere. */
import type { Options, Params, SingleBar } from 'cli-progress';
import type { DownloadProgress } from '../../pull/download.js';
import { safeLine } from '../../safe-text.js';
import { formatBytes } from '../terminal.js';

const WIDTH = 30;
const REDRAW_MS = 200;

export class ByteBar {
  private started: { readonly at: number; readonly bytes: number } | undefined;
  private doing: DownloadProgress['doing'] | undefined;
  private drawn = 0;

  private constructor(
    private readonly bar: SingleBar | undefined,
    private readonly name: string,
  ) {}

  static async open(stream: NodeJS.WriteStream, name: string): Promise<ByteBar> {
    if (!stream.isTTY) return new ByteBar(undefined, name);
    const { SingleBar: Bar } = await import('cli-progress');
    return new ByteBar(
      new Bar({ stream, format: render, hideCursor: true, clearOnComplete: true }),
      safeLine(name, 40),
    );
  }

  see({ doing, bytes, size }: DownloadProgress): void {
    if (this.bar === undefined) return;
    const now = performance.now();
    if (doing !== this.doing) this.stop();
    this.doing = doing;
    if (this.started === undefined) {
      this.started = { at: now, bytes };
      this.bar.start(size ?? 0, bytes, { name: this.name, doing, rate: 0 });
    }
    if (now - this.drawn < REDRAW_MS) return;
    this.drawn = now;
    const rate = ((bytes - this.started.bytes) * 1000) / Math.max(1, now - this.started.at);
    this.bar.update(bytes, { name: this.name, doing, rate });
  }

  stop(): void {
    if (this.started !== undefined) this.bar?.stop();
    this.started = undefined;
  }
}

interface Payload {
  readonly name: string;
  readonly doing: DownloadProgress['doing'];
  readonly rate: number;
}

function render(_: Options, { value, total, progress }: Params, { name, doing, rate }: Payload): string {
  const done = Math.round(progress * WIDTH);
  const bar = total === 0 ? '' : ` ${'█'.repeat(done)}${'░'.repeat(WIDTH - done)}`;
  const of = total === 0 ? '' : `/${formatBytes(total)}`;
  const speed = rate > 0 && doing === 'fetching' ? `, ${formatBytes(rate)}/s` : '';
  return `${doing === 'checking' ? 'checking ' : ''}${name}${bar} ${formatBytes(value)}${of}${speed}`;
}
