/** Updates and states for people. */
import type { Message } from '../../fronts/dgx-pixels/wire/client.js';

/** One line. */
export function describeUpdate(update: Message): string {
  const id = String(update['job_id']);
  switch (update.type) {
    case 'job_started':
      return `${id} started`;
    case 'progress': {
      const { stage, step, total_steps: total, percent, eta_s: eta } = update;
      const steps = stage === 'sampling' ? ` ${String(step)}/${String(total)}` : '';
      return `${id} ${Number(percent).toFixed(0)}% ${String(stage)}${steps}, ${describeSeconds(Number(eta))} left`;
    }
    case 'preview':
      return `${id} preview ${String(update['image_path'])}`;
    case 'job_finished': {
      const how = update['success'] === true ? 'finished' : 'ended';
      return `${id} ${how} after ${describeSeconds(Number(update['duration_s']))}`;
    }
    case 'job_complete':
      return `${id} image ${String(update['image_path'])}`;
    case 'job_error':
      return `${id} error: ${String(update['error'])}`;
    default:
      return `${id} ${update.type}`;
  }
}

/** `850 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function describeSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, length]) => seconds >= length);
  const [large, small] = [units[first]!, units[first + 1]!];
  const rest = Math.floor((seconds % large[1]) / small[1]);
  return `${Math.floor(seconds / large[1])} ${large[0]}${rest === 0 ? '' : ` ${rest} ${small[0]}`}`;
}
