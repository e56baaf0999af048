/** What runs and what waits. */
import { getJson, post } from './api.js';
import { titleOf } from './workflow.js';

const byId = (id) => document.getElementById(id);

/** By job. */
const titles = new Map();
let running;

/** Shows the queue as it is now. */
export async function showQueue() {
  const { queue_running: now, queue_pending: waiting } = await getJson('/queue');
  for (const [, id, prompt] of [...now, ...waiting]) titles.set(id, titleOf(prompt));
  byId('queue-count').textContent = waiting.length === 0 ? '' : `${waiting.length}`;
  byId('clear').hidden = waiting.length < 2;
  byId('waiting').replaceChildren(...waiting.map(([, id]) => waitingItem(id)));
  const [first] = now;
  if (first === undefined) showIdle();
  else if (running?.id !== first[1]) showRunning({ id: first[1] });
}

function waitingItem(id) {
  const item = document.createElement('li');
  const name = document.createElement('span');
  const remove = document.createElement('button');
  name.textContent = titles.get(id);
  remove.type = 'button';
  remove.textContent = 'Remove';
  remove.setAttribute('aria-label', `Remove ${titles.get(id)}`);
  remove.addEventListener('click', () => post('/queue', JSON.stringify({ delete: [id] })));
  item.append(name, remove);
  return item;
}

function showIdle() {
  running = undefined;
  byId('running').hidden = true;
  byId('idle').hidden = false;
  byId('preview').hidden = true;
}

function showRunning(job) {
  const isOther = running?.id !== job.id;
  running = { ...(isOther ? {} : running), ...job };
  byId('idle').hidden = true;
  byId('running').hidden = false;
  byId('running-name').textContent = titles.get(running.id) ?? running.id;
  byId('progress').value = running.share ?? 0;
  byId('progress-text').textContent = progressText(running);
  if (isOther) byId('preview').hidden = true;
}

function progressText({ phase = 'preparing', step = 0, steps = 0, seconds }) {
  const parts = [phase];
  if (phase === 'sampling' && steps > 0) parts.push(`step ${step} of ${steps}`);
  if (seconds !== undefined) parts.push(`about ${time(seconds)} left`);
  return parts.join(', ');
}

function time(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** Stops what runs. */
export async function stop() {
  if (running !== undefined) await post('/interrupt', JSON.stringify({ prompt_id: running.id }));
}

/** Follows every job from now on. `onOver` is called when one ends, `onConnection` with whether the daemon is there. */
export function follow({ onOver, onConnection }) {
  const events = new EventSource('/events');
  const hear = (name, act) => {
    events.addEventListener(name, ({ data }) => {
      act(JSON.parse(data));
    });
  };
  events.addEventListener('open', () => onConnection(true));
  events.addEventListener('error', () => onConnection(false));
  hear('queue', () => void showQueue().catch(() => undefined));
  hear('progress', (job) => showRunning(job));
  hear('preview', ({ id, picture }) => {
    showRunning({ id });
    const image = byId('preview');
    image.src = `data:image/png;base64,${picture}`;
    image.hidden = false;
  });
  hear('over', (job) => {
    if (running?.id === job.id) showIdle();
    onOver({ ...job, title: titles.get(job.id) ?? job.id });
    titles.delete(job.id);
  });
  return events;
}
