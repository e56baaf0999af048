/** How much of a file is there. */
import type { DownloadProgress } from '../../pull/download.js';
import { safeLine } from '../../safe-text.js';
import { Bar } from '../bar.js';
import { formatBytes } from '../terminal.js';

export class ByteBar {
  private started: { readonly at: number; readonly bytes: number } | undefined;
  private doing: DownloadProgress['doing'] | undefined;

  private constructor(
    private readonly bar: Bar,
    private readonly name: string,
  ) {}

  static async open(stream: NodeJS.WriteStream, name: string): Promise<ByteBar> {
    return new ByteBar(await Bar.open(stream), safeLine(name, 40));
  }

  see({ doing, bytes, size = 0 }: DownloadProgress): void {
    const now = performance.now();
    if (doing !== this.doing) this.started = undefined;
    this.doing = doing;
    this.started ??= { at: now, bytes };
    const rate = ((bytes - this.started.bytes) * 1000) / Math.max(1, now - this.started.at);
    const of = size === 0 ? '' : `/${formatBytes(size)}`;
    const speed = rate > 0 && doing === 'fetching' ? `, ${formatBytes(rate)}/s` : '';
    this.bar.show(bytes, size, {
      before: doing === 'checking' ? `checking ${this.name}` : this.name,
      behind: `${formatBytes(bytes)}${of}${speed}`,
    });
  }

  stop(): void {
    this.bar.stop();
    this.started = undefined;
  }
}
