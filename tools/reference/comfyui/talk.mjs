import { createRequire } from 'node:module';

const WebSocket = createRequire(import.meta.url)('ws');

/** Says things to a server, and keeps what it answers. */
export class Talk {
  said = [];
  sockets = new Map();

  constructor(base) {
    this.base = base;
  }

  say(what, answer) {
    this.said.push({ what, answer: tidy(answer) });
  }

  async open(client, { thin = false } = {}) {
    const socket = new WebSocket(`${this.base.replace('http', 'ws')}/ws?clientId=${client}`);
    const heard = [];
    const waiting = new Set();
    this.sockets.set(client, { socket, heard, waiting, thin });
    socket.on('message', (data, isBinary) => {
      if (!isBinary) heard.push(JSON.parse(data.toString()));
      for (const wake of waiting) wake();
    });
    await new Promise((resolve, reject) => {
      socket.on('error', reject);
      waiting.add(() => heard.length > 0 && resolve());
    });
  }

  /** Waits for a message about a prompt. */
  async until(client, id, type, accepts = () => true) {
    const { heard, waiting } = this.sockets.get(client);
    const isIt = ({ type: each, data }) => each === type && data.prompt_id === id && accepts(data);
    await new Promise((resolve) => {
      const look = () => {
        if (!heard.some(isIt)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  }

  async idle() {
    for (;;) {
      const { queue_running: running, queue_pending: pending } = await this.ask('/queue');
      if (running.length + pending.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async ask(path) {
    return (await fetch(this.base + path)).json();
  }

  get(path, how) {
    return this.request('GET', path, undefined, how);
  }

  post(path, body) {
    return this.request('POST', path, body === undefined ? undefined : JSON.stringify(body));
  }

  prompt(prompt, more, how) {
    return this.request('POST', '/prompt', JSON.stringify({ prompt, ...more }), how);
  }

  async upload(name, bytes, fields = {}) {
    const form = new FormData();
    form.append('image', new Blob([bytes]), name);
    for (const [key, value] of Object.entries(fields)) form.append(key, value);
    await this.request('POST', '/upload/image', form, undefined, `upload ${name} ${JSON.stringify(fields)}`);
  }

  async request(method, path, body, how, what = `${method} ${path}`) {
    const reply = await fetch(this.base + path, { method, ...(body !== undefined && { body }) });
    const type = reply.headers.get('content-type')?.split(';')[0];
    if (how === 'head') {
      await reply.arrayBuffer();
      this.say(what, {
        status: reply.status,
        ...(reply.ok && { type, file: reply.headers.get('content-disposition') }),
      });
      return;
    }
    const text = await reply.text();
    const isJson = type === 'application/json' || /^[[{]/.test(text);
    let json = isJson ? JSON.parse(text) : undefined;
    if (how === 'without its number') json = { ...json, number: typeof json.number };
    // What a refusal says where ComfyUI says nothing, or in words of its own, is the server's own.
    // Names of files come in the order of the file system.
    if (path.startsWith('/userdata?') && Array.isArray(json)) json.sort();
    const isTold = isJson && (reply.ok || /^\/(prompt|api\/jobs)/.test(path));
    this.say(what, { status: reply.status, ...(isTold ? { json } : {}) });
  }

  close() {
    for (const [client, { socket, heard, thin }] of this.sockets) {
      this.say(`heard by ${client}`, thin ? firstOfEach(withoutStatus(heard)) : withoutStatus(heard));
      socket.close();
    }
    return this.said;
  }
}

/** How often a queue's length is told is the server's affair. */
function withoutStatus(messages) {
  return messages.filter(
    ({ type, data }, index) => type !== 'status' || (index === 0 && data.sid !== undefined),
  );
}

/** Of a long run, how far it came is chance. */
function firstOfEach(messages) {
  const known = new Set();
  return messages.filter(({ type, data }) => {
    const key = JSON.stringify([type, data.node ?? '', data.prompt_id ?? '']);
    const isNew = !known.has(key);
    known.add(key);
    return isNew && type !== 'progress_state';
  });
}

/** `priority` is what the queue counts by. */
const TIMES = new Set(['priority', 'timestamp', 'create_time', 'execution_start_time', 'execution_end_time']);
/** How an exception is worded, and what it saw. */
const WORDING = new Set([
  'exception_message',
  'exception_type',
  'traceback',
  'current_inputs',
  'current_outputs',
]);
/** Help for people, and fields that say nothing where they are empty. */
const PROSE = new Set(['tooltip', 'description', 'output_tooltips', 'search_aliases', 'advanced', 'display']);
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/;

function tidy(value, key) {
  if (TIMES.has(key)) return 0;
  if (WORDING.has(key)) return '…';
  if (key === 'number') return typeof value;
  // Sets of Python's, in the order of their hashes.
  if (key === 'executed' || key === 'errors') {
    const keyOf = (item) => item?.extra_info?.input_name ?? JSON.stringify(item);
    return value.map((item) => tidy(item)).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
  if (typeof value === 'string') {
    if (UUID.test(value) && !value.startsWith('00000000')) return 'an id';
    return value.replace(/ComfyUI_temp_[a-z]{5}/, 'ComfyUI_temp_xxxxx');
  }
  if (Array.isArray(value)) {
    const isEntry = value.length === 5 && typeof value[0] === 'number' && typeof value[1] === 'string';
    // An input's type with no more about it.
    const [type, more] = value;
    const isBare = value.length === 2 && typeof more === 'object' && more !== null && !Array.isArray(more);
    if (isBare && Object.keys(tidy(more)).length === 0) return [tidy(type)];
    return (isEntry ? ['number', ...value.slice(1, 4), value[4].toSorted()] : value).map((item) =>
      tidy(item),
    );
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !PROSE.has(name))
        .map(([name, item]) => [name, tidy(item, name)]),
    );
  }
  return value;
}
