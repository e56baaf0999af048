/** How far a film is: frames, frames a second, and how long it will take. */
import type { Options, Params, SingleBar } from 'cli-progress';
import type { FilmProgress } from '../../video/film.js';

const WIDTH = 30;
const REDRAW_MS = 200;

/** A bar on a terminal, and nothing elsewhere. */
export class FilmBar {
  private started: { readonly at: number; readonly done: number } | undefined;
  private drawn = 0;

  private constructor(private readonly bar: SingleBar | undefined) {}

  static async open(stream: NodeJS.WriteStream): Promise<FilmBar> {
    if (!stream.isTTY) return new FilmBar(undefined);
    const { SingleBar: Bar } = await import('cli-progress');
    return new FilmBar(new Bar({ stream, format: render, hideCursor: true, clearOnComplete: true }));
  }

  see({ done, total }: FilmProgress): void {
    if (this.bar === undefined) return;
    const now = performance.now();
    if (this.started === undefined) {
      this.started = { at: now, done };
      this.bar.start(total, done, { rate: 0, left: 0 });
    }
    if (now - this.drawn < REDRAW_MS) return;
    this.drawn = now;
    const rate = ((done - this.started.done) * 1000) / Math.max(1, now - this.started.at);
    if (this.bar.getTotal() !== total) this.bar.setTotal(total);
    this.bar.update(done, { rate, left: rate > 0 ? (total - done) / rate : 0 });
  }

  /** Writes something that the bar must not be drawn over. */
  aside(write: () => void): void {
    this.stop();
    write();
  }

  stop(): void {
    if (this.started !== undefined) this.bar?.stop();
    this.started = undefined;
  }
}

function render(
  _: Options,
  { value, total, progress }: Params,
  { rate, left }: { rate: number; left: number },
): string {
  const done = Math.round(progress * WIDTH);
  const frames =
    total === 0
      ? `${value} frames`
      : `${'█'.repeat(done)}${'░'.repeat(WIDTH - done)} ${value}/${total} frames`;
  if (rate === 0) return frames;
  const speed = `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} a second`;
  return left === 0 ? `${frames}, ${speed}` : `${frames}, ${speed}, ${duration(left)} left`;
}

/** `1:02:03` or `2:03`. */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours === 0 ? `${minutes}:${two(whole % 60)}` : `${hours}:${two(minutes)}:${two(whole % 60)}`;
}
