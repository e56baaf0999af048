/** The built daemon as a process of its own, with tiny models and folders of its own, and clients for it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { decode } from '@msgpack/msgpack';
import { Request, Subscriber } from 'zeromq';
import { encodeRequest } from '../../src/fronts/dgx-pixels/wire/codec.js';
import { MAIN } from '../cli/latentd.js';
import { fixture, tinyCheckpoint } from './golden.js';

export type Message = Readonly<Record<string, unknown>> & { readonly type: string };
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: number };

/** A folder with models, for one daemon after the other. */
export class DaemonHome {
  readonly folder = mkdtempSync(join(tmpdir(), 'latentd-daemon-'));

  constructor() {
    const models = (kind: string, name: string, source: string) => {
      mkdirSync(join(this.folder, 'models', kind), { recursive: true });
      symlinkSync(source, join(this.folder, 'models', kind, name));
    };
    models('checkpoints', 'sd15-tiny.safetensors', tinyCheckpoint('sd15'));
    models('checkpoints', 'sdxl-tiny.safetensors', tinyCheckpoint('sdxl'));
    models('loras', 'sd15-tiny-lora.safetensors', fixture('golden/sd15-tiny-lora.safetensors'));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  configure(settings: object): void {
    writeFileSync(this.path('latentd.config.json'), JSON.stringify(settings));
  }

  /** Starts a daemon and waits until it can be asked. */
  async start(...args: readonly string[]): Promise<DaemonProcess> {
    const daemon = this.launch(...args);
    await daemon.logged('ready');
    return daemon;
  }

  /** Starts a daemon that may not come to life. */
  launch(...args: readonly string[]): DaemonProcess {
    return new DaemonProcess(this.folder, args);
  }

  /** The same where a process may have no more than so many files open. */
  launchWithin(openFiles: number, ...args: readonly string[]): DaemonProcess {
    return new DaemonProcess(this.folder, args, ['bash', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class DaemonProcess {
  readonly child: ChildProcess;
  readonly log: LogLine[] = [];
  /** Lines of standard error that are no log. */
  readonly complaints: string[] = [];
  /** Standard error as it was written. */
  readonly raw: string[] = [];
  private readonly waiting = new Set<() => void>();

  /** `wrapper` is a command that becomes the command after it. */
  constructor(folder: string, args: readonly string[], wrapper: readonly string[] = []) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LATENTD_'));
    const ports = ['--req-addr', 'tcp://127.0.0.1:*', '--pub-addr', 'tcp://127.0.0.1:*'];
    const [program, ...rest] = [...wrapper, process.execPath, MAIN, 'serve', ...ports, ...args];
    this.child = spawn(program!, rest, {
      cwd: folder,
      env: Object.fromEntries(inherited),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    createInterface(this.child.stderr!).on('line', (line) => {
      this.raw.push(line);
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
      else this.complaints.push(line);
      for (const wake of this.waiting) wake();
    });
    this.child.on('exit', () => {
      for (const wake of this.waiting) wake();
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get requestAddress(): string {
    return String(this.log.find(({ msg }) => msg === 'ready')!['requests']);
  }

  get updateAddress(): string {
    return String(this.log.find(({ msg }) => msg === 'ready')!['updates']);
  }

  /** Of a daemon with `--http`. */
  get httpAddress(): string {
    return String(this.log.find(({ msg }) => msg === 'ready')!['http']);
  }

  /** The engine that was started last. */
  get enginePid(): number {
    return Number(this.log.findLast(({ msg }) => msg === 'engine started')!['engine']);
  }

  /** The first line of the log with this message, from index `from` on, once it is there. */
  async logged(message: string, from = 0): Promise<LogLine> {
    for (;;) {
      const line = this.log.slice(from).find(({ msg }) => msg === message);
      if (line !== undefined) return line;
      if (this.hasEnded) throw new Error(`the daemon ended: ${this.complaints.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.waiting.add(resolve);
        setTimeout(resolve, 200);
      });
    }
  }

  client(): Client {
    return new Client(this.requestAddress);
  }

  async listen(): Promise<Listener> {
    return Listener.open(this.updateAddress);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends a signal and returns the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.hasEnded) this.kill(signal);
    return this.ended();
  }

  /** The exit code, once there is one. */
  async ended(): Promise<number | null> {
    if (!this.hasEnded) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

/** A REQ socket, as the protocol's clients have. */
export class Client {
  private readonly socket: Request;

  /** Real clients give up after 5 s; a test on a machine with other work must not. */
  constructor(address: string, timeoutMs = 30_000) {
    this.socket = new Request({ linger: 0, receiveTimeout: timeoutMs, sendTimeout: timeoutMs });
    this.socket.connect(address);
  }

  async ask(message: Readonly<Record<string, unknown>>): Promise<Message> {
    return decode(await this.askRaw(encodeRequest(message))) as Message;
  }

  /** Sends bytes as they are, or frames of them. */
  async askRaw(message: Uint8Array | readonly Uint8Array[]): Promise<Uint8Array> {
    await this.socket.send(message as Uint8Array | Uint8Array[]);
    const [reply] = await this.socket.receive();
    return reply!;
  }

  async accept(message: Readonly<Record<string, unknown>>): Promise<void> {
    const reply = await this.ask(message);
    if (reply.type !== 'job_accepted') throw new Error(`not accepted: ${JSON.stringify(reply)}`);
  }

  close(): void {
    this.socket.close();
  }
}

/** A SUB socket that keeps everything it hears. */
export class Listener {
  readonly heard: Message[] = [];
  readonly frames: Uint8Array[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly observers = new Set<(message: Message) => void>();

  private constructor(private readonly socket: Subscriber) {
    void this.listen();
  }

  /** Subscribes and makes sure of it: a subscription takes a moment to arrive, and nothing says when. */
  static async open(updates: string): Promise<Listener> {
    const socket = new Subscriber({ linger: 0 });
    socket.connect(updates);
    socket.subscribe();
    const listener = new Listener(socket);
    await delay(100);
    return listener;
  }

  /** Calls back for each message from now on; what it returns ends that. */
  onMessage(observer: (message: Message) => void): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** Forgets what was heard. */
  forget(): void {
    this.heard.length = 0;
    this.frames.length = 0;
  }

  /** Everything heard about a job. */
  of(id: string): Message[] {
    return this.heard.filter((message) => message['job_id'] === id);
  }

  /** The first message for which `accepts` holds, heard or yet to come. */
  async until(accepts: (message: Message) => boolean, timeoutMs = 50_000): Promise<Message> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.heard.find(accepts);
      if (found !== undefined) return found;
      if (Date.now() > deadline) {
        throw new Error(`not heard in time; last: ${JSON.stringify(this.heard.slice(-3))}`);
      }
      await new Promise<void>((resolve) => {
        this.waiting.add(resolve);
        setTimeout(resolve, 500);
      });
    }
  }

  /** Everything about a job, once its last message is there. */
  async untilOver(id: string): Promise<Message[]> {
    await this.until(
      (message) =>
        message['job_id'] === id && (message.type === 'job_complete' || message.type === 'job_error'),
    );
    return this.of(id);
  }

  close(): void {
    this.socket.close();
  }

  private async listen(): Promise<void> {
    for await (const [frame] of this.socket) {
      const message = decode(frame!) as Message;
      this.frames.push(frame!);
      this.heard.push(message);
      for (const observe of this.observers) observe(message);
      for (const wake of this.waiting) wake();
      this.waiting.clear();
    }
  }
}

let jobs = 0;

/** A request for one small image, of a new id. */
export function generate(values: Readonly<Record<string, unknown>> = {}) {
  return {
    type: 'generate',
    id: `job-${process.pid}-${++jobs}`,
    prompt: 'a knight',
    model: 'sd15-tiny',
    size: [64, 64],
    steps: 3,
    cfg_scale: 7,
    ...values,
  };
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

export function isAlive(pid: number): boolean {
  // A killed process that nobody has waited for yet is a zombie.
  return (
    existsSync(`/proc/${pid}/status`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  );
}
