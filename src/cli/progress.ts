/** What a run shows while it goes on: warnings, and a bar on a terminal. */
import type { Options, Params, SingleBar } from 'cli-progress';
import type { RunEvent } from '../workflow/events.js';
import { safeLine } from '../safe-text.js';
import { describeReport } from '../workflow/faults.js';
import { report } from './terminal.js';

export interface ProgressView {
  onEvent(event: RunEvent): void;
  /** Clears the bar and gives the cursor back. */
  stop(): void;
}

const PLAIN: ProgressView = { onEvent: reportWarning, stop: () => undefined };

export async function createProgress(stream: NodeJS.WriteStream): Promise<ProgressView> {
  if (!stream.isTTY) return PLAIN;
  const { SingleBar: Bar } = await import('cli-progress');
  return new TerminalProgress(
    new Bar({ stream, format: render, hideCursor: true, clearOnComplete: true, etaBuffer: 5 }),
  );
}

function reportWarning(event: RunEvent): void {
  switch (event.type) {
    case 'warning':
      report(`warning: node ${event.node} (${event.class_type}): ${event.text}`);
      break;
    case 'execution_start':
      if (event.faults === undefined) break;
      report('warning: outputs that cannot run are left out');
      for (const line of describeReport(event.faults).split('\n')) report(line);
      break;
    case 'execution_blocked': {
      const { node_id, node_type, exception_message } = event.error;
      report(`warning: node ${node_id} (${node_type}) was not run: ${exception_message}`);
      break;
    }
    default:
  }
}

class TerminalProgress implements ProgressView {
  private running = false;

  constructor(private readonly bar: SingleBar) {}

  onEvent(event: RunEvent): void {
    if (event.type === 'executing') {
      this.start(event);
    } else if (event.type === 'progress') {
      if (!this.running) this.start(event);
      if (this.bar.getTotal() !== event.total_steps) this.bar.setTotal(event.total_steps);
      this.bar.update(event.step);
    } else if (['warning', 'execution_start', 'execution_blocked'].includes(event.type)) {
      // The bar would be drawn over the line.
      this.stop();
      reportWarning(event);
    }
  }

  stop(): void {
    if (this.running) this.bar.stop();
    this.running = false;
  }

  private start({
    class_type: classType,
    node: id,
  }: {
    readonly class_type: string;
    readonly node: string;
  }): void {
    const node = safeLine(`${classType} ${id}`, 60);
    this.stop();
    this.bar.start(0, 0, { node });
    this.running = true;
  }
}

const WIDTH = 30;

function render(_: Options, { value, total, progress, eta }: Params, { node }: { node: string }): string {
  if (total === 0) return `${node} …`;
  const done = Math.round(progress * WIDTH);
  const left = Number.isFinite(eta) && eta > 0 ? `, ${Math.ceil(eta)} s left` : '';
  return `${node} ${'█'.repeat(done)}${'░'.repeat(WIDTH - done)} ${value}/${total}${left}`;
}
