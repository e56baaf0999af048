/**
 * A host that started this process and speaks with it by lines of JSON on standard input and output. Requests are answered as they come
 * to their ends, each by one line; how far they are is told to those that ask for it.
 */
import type { Readable, Writable } from 'node:stream';
import type { Front, FrontDefinition, FrontOptions } from '../front.js';
import { StdioDesk } from './desk.js';
import { FRONT } from './open-requests.js';
import {
  addresseeOf,
  answer,
  askedOf,
  NOBODY,
  progressLine,
  readLine,
  refusal,
  type Addressee,
} from './envelope.js';
import { StdioFault } from './fault.js';
import { readLines } from './lines.js';

export interface StdioOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Every request is told how far it is. */
  readonly tellsProgress: boolean;
  /** Nothing more will be asked, and all that was asked is answered; or the host wants the end. */
  readonly onEnd: () => void;
}

export function stdioFront(options: StdioOptions): FrontDefinition {
  return { name: FRONT, open: (house) => Promise.resolve(new StdioFront(house, options)) };
}

class StdioFront implements Front {
  readonly addresses = {};
  private readonly desk: StdioDesk;
  /** Requests that have no answer yet. */
  private readonly unanswered = new Set<Addressee>();
  private readonly stopReading: () => void;
  private isOver = false;

  constructor(
    private readonly house: FrontOptions,
    private readonly options: StdioOptions,
  ) {
    this.desk = new StdioDesk(house, options.onEnd);
    const { maxUpload } = house.settings;
    this.stopReading = readLines(options.input, maxUpload, {
      line: (line) => void this.receive(line),
      tooLong: () => {
        const megabytes = Math.floor(maxUpload / 2 ** 20);
        const fault = new StdioFault('invalid_request', `a line has at most ${megabytes} MB (--max-upload)`);
        this.send(refusal(NOBODY, fault));
      },
      end: () => {
        this.isOver = true;
        this.endWhenAnswered();
      },
    });
  }

  /** Jobs that went back to the queue have nobody to run them. */
  async close(): Promise<void> {
    this.stopReading();
    for (const addressee of this.unanswered) {
      this.send(refusal(addressee, new StdioFault('stopping', 'the worker stopped before it was done')));
    }
    this.unanswered.clear();
    await new Promise<void>((resolve) => {
      this.options.output.write('', () => {
        resolve();
      });
    });
  }

  private async receive(line: string): Promise<void> {
    let addressee: Addressee = NOBODY;
    const startedAt = performance.now();
    const finish = (reply: object) => {
      // After `close`, which has answered for it.
      if (addressee !== NOBODY && !this.unanswered.delete(addressee)) return;
      this.send({
        ...reply,
        ...(addressee.isCamel && {
          timestamp: new Date().toISOString(),
          executionTimeMs: Math.round(performance.now() - startedAt),
        }),
      });
    };
    try {
      const message = readLine(line);
      addressee = addresseeOf(message);
      this.unanswered.add(addressee);
      const asked = askedOf(message);
      const tells = asked.wantsProgress || this.options.tellsProgress;
      const data = await this.desk.handle(asked, (facts) => {
        if (tells && this.unanswered.has(addressee)) this.send(progressLine(addressee, facts));
      });
      finish(answer(addressee, data));
    } catch (error) {
      finish(refusal(addressee, this.faultOf(error)));
    }
    this.endWhenAnswered();
  }

  private faultOf(error: unknown): StdioFault {
    if (error instanceof StdioFault) return error;
    this.house.log.error({ err: error }, "fault while answering a host's request");
    return new StdioFault('failed', 'the worker failed to answer; its log says why');
  }

  private endWhenAnswered(): void {
    if (this.isOver && this.unanswered.size === 0) this.options.onEnd();
  }

  private send(message: object): void {
    this.options.output.write(`${JSON.stringify(message)}\n`);
  }
}
