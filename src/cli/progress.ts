/** What a run shows while it goes on: warnings, and a bar on a terminal; under --verbose, when each node began and ended. */
import type { RunEvent } from '../workflow/events.js';
import { describeReport } from '../workflow/faults.js';
import { Bar } from './bar.js';
import { detail, notice } from './terminal.js';

type NodeEvent = Extract<RunEvent, { readonly type: 'executing' | 'progress' }>;

export class RunProgress {
  private readonly startedAt = performance.now();
  private nodeBegan = 0;
  private node = '';
  private stepsBegan: { readonly at: number; readonly step: number } | undefined;

  private constructor(private readonly bar: Bar) {}

  static async open(stream: NodeJS.WriteStream): Promise<RunProgress> {
    return new RunProgress(await Bar.open(stream));
  }

  onEvent(event: RunEvent): void {
    if (event.type === 'executing') this.begin(event);
    else if (event.type === 'progress') this.step(event);
    else if (['warning', 'execution_start', 'execution_blocked'].includes(event.type)) {
      // The bar would be drawn over the line.
      this.bar.stop();
      reportWarning(event);
    }
  }

  /** Clears the bar and gives the cursor back. */
  stop(): void {
    this.end();
    this.bar.stop();
  }

  private begin(event: NodeEvent): void {
    this.end();
    this.node = nameOf(event);
    this.nodeBegan = performance.now();
    this.stepsBegan = undefined;
    this.bar.show(0, 0, { before: `${this.node} …` });
  }

  private end(): void {
    if (this.node === '') return;
    const now = performance.now();
    const seconds = (from: number) => ((now - from) / 1000).toFixed(2);
    this.bar.stop();
    detail(`${seconds(this.startedAt)} s: ${this.node} took ${seconds(this.nodeBegan)} s`);
    this.node = '';
  }

  private step(event: Extract<RunEvent, { readonly type: 'progress' }>): void {
    const { step, total_steps: total } = event;
    if (this.node === '') this.begin(event);
    this.stepsBegan ??= { at: performance.now(), step };
    const { at, step: first } = this.stepsBegan;
    const left = step > first ? ((performance.now() - at) / 1000 / (step - first)) * (total - step) : 0;
    this.bar.show(step, total, {
      before: this.node,
      behind: `${step}/${total}${left > 0 ? `, ${Math.ceil(left)} s left` : ''}`,
    });
  }
}

function nameOf({ class_type: classType, node }: NodeEvent): string {
  return `${classType} ${node}`;
}

function reportWarning(event: RunEvent): void {
  switch (event.type) {
    case 'warning':
      notice(`warning: node ${event.node} (${event.class_type}): ${event.text}`);
      break;
    case 'execution_start':
      if (event.faults === undefined) break;
      notice('warning: outputs that cannot run are left out');
      for (const line of describeReport(event.faults).split('\n')) notice(line);
      break;
    case 'execution_blocked': {
      const { node_id, node_type, exception_message } = event.error;
      notice(`warning: node ${node_id} (${node_type}) was not run: ${exception_message}`);
      break;
    }
    default:
  }
}
