/** How fast engines are, by what each measured when it started. */
import type { EngineSettings } from '../engine-process/messages.js';
import type { Estimates, MeasuredTime } from './estimates.js';

export class EngineSpeeds {
  private readonly measured = new Map<number, number>();

  constructor(
    private readonly engines: readonly Pick<EngineSettings, 'device' | 'threads'>[],
    private readonly estimates: Pick<Estimates, 'learnSpeed'>,
  ) {}

  /**
   * An engine has measured how many FLOP a second it does. Engines on one processor are alike: the fastest figure is that of all, since one
   * that measures beside other work measures less; of cards, each may be another. Returns what is now known, to be made durable.
   */
  learn(engine: number, speed: number): readonly MeasuredTime[] {
    this.measured.set(engine, speed);
    const alike = [...this.measured].filter(([each]) => each === engine || this.areAlike(each, engine));
    const fastest = Math.max(...alike.map(([, own]) => own));
    return alike.map(([each]) => this.estimates.learnSpeed(each, fastest));
  }

  private areAlike(one: number, other: number): boolean {
    const [a, b] = [this.engines[one], this.engines[other]];
    return a?.device === 'cpu' && b?.device === 'cpu' && a.threads === b.threads;
  }
}
