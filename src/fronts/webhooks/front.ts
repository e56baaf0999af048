/** Tells web addresses of jobs: that they began and how far they are while there is somebody to hear it, that they ended until it was heard. */
import { setTimeout as delay } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { ConfigError } from '../../config/config-error.js';
import type { JobNotice } from '../../jobs/events.js';
import type { Jobs } from '../../jobs/jobs.js';
import { safeLine } from '../../safe-text.js';
import type { Front, FrontDefinition } from '../front.js';
import { endMessage, progressMessage, startMessage, type HookMessage, type Signer } from './messages.js';
import { readSecret, signed, type Secret } from './signature.js';

/** For an answer to a message. */
const PATIENCE_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 300_000;
/** Between two messages of how far a job is. */
const PROGRESS_INTERVAL_MS = 1000;

const NOBODY: Front = { addresses: {}, close: () => Promise.resolve() };

export const webhooks: FrontDefinition = {
  name: 'webhooks',
  async open({ jobs, settings, store, log }) {
    const { webhook: hooks, webhookSecret } = settings;
    await jobs.keepEndsFor(hooks);
    if (hooks.length === 0) return NOBODY;
    const secret = webhookSecret === undefined ? undefined : readSecret(readSecretFile(webhookSecret));
    const sign: Signer = (artifact) =>
      // What can't be signed now is told without an address: the end itself matters more.
      store?.url(artifact, settings.urlLifetime).catch(() => undefined) ?? Promise.resolve(undefined);
    const tellers = hooks.map((hook) => new HookTeller(hook, jobs, secret, sign, log));
    const unsubscribe = jobs.subscribe((notice) => {
      for (const teller of tellers) teller.hear(notice);
    });
    return {
      addresses: {},
      async close() {
        unsubscribe();
        await Promise.all(tellers.map((teller) => teller.close()));
      },
    };
  },
};

function readSecretFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`--webhook-secret: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** One address. Ends go to it one after the other, each until it was taken. */
class HookTeller {
  private readonly closing = new AbortController();
  private readonly progressAt = new Map<string, number>();
  private readonly work: Promise<void>;
  private wake: () => void = () => undefined;

  constructor(
    private readonly hook: string,
    private readonly jobs: Jobs,
    private readonly secret: Secret | undefined,
    private readonly sign: Signer,
    private readonly log: Logger,
  ) {
    this.work = this.tellEnds().catch((error: unknown) => {
      if (!this.closing.signal.aborted) log.error({ err: error, hook }, 'a webhook is told no more');
    });
  }

  hear(notice: JobNotice): void {
    const { id } = notice.job;
    if (notice.kind === 'started') void this.tellOnce(startMessage(notice));
    if (notice.kind === 'progress' && this.isDue(id)) void this.tellOnce(progressMessage(notice));
    if (notice.kind !== 'over') return;
    this.progressAt.delete(id);
    this.wake();
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.wake();
    await this.work;
  }

  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }

  private isDue(id: string): boolean {
    const now = performance.now();
    if (now - (this.progressAt.get(id) ?? -Infinity) < PROGRESS_INTERVAL_MS) return false;
    this.progressAt.set(id, now);
    return true;
  }

  private async tellEnds(): Promise<void> {
    const { signal } = this.closing;
    let pause = FIRST_PAUSE_MS;
    while (!this.isClosing()) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      const job = await this.jobs.undelivered(this.hook);
      if (job === undefined) {
        await woken;
        continue;
      }
      const fault = await this.send(await endMessage(job, this.sign));
      if (fault === undefined) {
        await this.jobs.delivered(this.hook, job.sequence);
        pause = FIRST_PAUSE_MS;
        continue;
      }
      if (this.isClosing()) return;
      this.log.warn({ hook: this.hook, job: job.id, fault, again_s: pause / 1000 }, 'a webhook was not told');
      await delay(pause, undefined, { signal });
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  private async tellOnce(message: HookMessage): Promise<void> {
    const fault = await this.send(message);
    if (fault !== undefined)
      this.log.debug({ hook: this.hook, fault }, 'a webhook was not told how a job goes on');
  }

  /** What went wrong, if anything. */
  private async send(message: HookMessage): Promise<string | undefined> {
    const body = JSON.stringify(message.body);
    const headers = {
      'content-type': 'application/json',
      ...signed(this.secret, message.id, body, Date.now()),
    };
    // Not AbortSignal.any, which in Node 20 never lets go of what it made from a long-lived signal.
    const attempt = new AbortController();
    const abort = () => {
      attempt.abort();
    };
    const impatience = setTimeout(abort, PATIENCE_MS);
    this.closing.signal.addEventListener('abort', abort);
    try {
      // Where it leads to is no address of the settings.
      const reply = await fetch(this.hook, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal: attempt.signal,
      });
      await reply.body?.cancel();
      return reply.ok ? undefined : `status ${reply.status}`;
    } catch (error) {
      return safeLine(error instanceof Error ? error.message : String(error), 200);
    } finally {
      clearTimeout(impatience);
      this.closing.signal.removeEventListener('abort', abort);
    }
  }
}
