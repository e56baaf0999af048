/** How far a film is: frames, frames a second, and how long it will take. */
import type { FilmProgress } from '../../video/film.js';
import { Bar } from '../bar.js';

export class FilmBar {
  private started: { readonly at: number; readonly done: number } | undefined;

  private constructor(private readonly bar: Bar) {}

  static async open(stream: NodeJS.WriteStream): Promise<FilmBar> {
    return new FilmBar(await Bar.open(stream));
  }

  see({ done, total }: FilmProgress): void {
    const now = performance.now();
    this.started ??= { at: now, done };
    const rate = ((done - this.started.done) * 1000) / Math.max(1, now - this.started.at);
    const left = rate > 0 ? (total - done) / rate : 0;
    this.bar.show(done, total, { behind: describe(done, total, rate, left) });
  }

  /** Writes something that the bar must not be drawn over. */
  aside(write: () => void): void {
    this.stop();
    write();
  }

  stop(): void {
    this.bar.stop();
    this.started = undefined;
  }
}

function describe(done: number, total: number, rate: number, left: number): string {
  const frames = total === 0 ? `${done} frames` : `${done}/${total} frames`;
  if (rate === 0) return frames;
  const speed = `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} a second`;
  return left <= 0 ? `${frames}, ${speed}` : `${frames}, ${speed}, ${duration(left)} left`;
}

/** `1:02:03` or `2:03`. */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours === 0 ? `${minutes}:${two(whole % 60)}` : `${hours}:${two(minutes)}:${two(whole % 60)}`;
}
