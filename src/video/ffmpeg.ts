/**
 * ffmpeg and ffprobe, the system's programs, as typed jobs. The one module that knows how they are started (fluent-ffmpeg); everything
 * else says which arguments it wants.
 */
import type { SpawnOptions } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import ffmpeg, { type FfmpegCommand, type FfprobeData } from 'fluent-ffmpeg';
import { VideoError } from './video-error.js';

/** What to do where ffmpeg isn't there; the first line of every such error. */
export const HOW_TO_INSTALL =
  'ffmpeg and ffprobe are needed for video: install them (Debian and Ubuntu: apt-get install -y ffmpeg; Fedora: dnf install ffmpeg; ' +
  'others: https://ffmpeg.org/download.html), or name them in FFMPEG_PATH and FFPROBE_PATH';

/** Demuxers that may open a file: those of films, pictures and sound, none that reads other files by name. */
const READABLE_FORMATS =
  'mov,mp4,matroska,webm,avi,gif,apng,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,nut,dv,ivf,h264,hevc,m4v,rm,yuv4mpegpipe,' +
  'mp3,wav,w64,flac,aac,ac3,aiff,caf,' +
  'bmp_pipe,cri_pipe,dds_pipe,dpx_pipe,exr_pipe,hdr_pipe,ico,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,jpegxl_anim,pam_pipe,pcx_pipe,' +
  'pfm_pipe,phm_pipe,photocd_pipe,pgx_pipe,pictor_pipe,png_pipe,psd_pipe,qdraw_pipe,qoi_pipe,sgi_pipe,sunrast_pipe,tiff_pipe,webp_pipe,' +
  'xbm_pipe,xpm_pipe,xwd_pipe';

/** Options that go before every file of the user's. */
export const USER_FILE_OPTIONS: readonly string[] = [
  '-protocol_whitelist',
  'file',
  '-format_whitelist',
  READABLE_FORMATS,
];

export interface FfmpegInput {
  /** An absolute path. Bytes come through the job's `stdin` where it is left out. */
  readonly path?: string;
  /** What goes before `-i`. */
  readonly options?: readonly string[];
}

export interface FfmpegOutput {
  /** An absolute path. Bytes go to the job's `stdout` where it is left out. */
  readonly path?: string;
  readonly options: readonly string[];
}

export interface FfmpegOptions {
  readonly inputs: readonly FfmpegInput[];
  readonly output: FfmpegOutput;
  /** Called with each line that it logs, with its level in brackets. */
  readonly onLine?: (line: string) => void;
}

/** A running ffmpeg. */
export interface FfmpegJob {
  /** For the input without a path; ending it ends the job's input. */
  readonly stdin: Writable;
  /** Of the output without a path. */
  readonly stdout: Readable;
  /** Settled when it has ended. Rejects with `VideoError` saying what it logged as an error; also after `kill`. */
  readonly done: Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

export const NO_SPACE = 'no space left on the device';

/** Lines of the log that an error message quotes. */
const QUOTED_LINES = 4;

/** What ffmpeg logs of a file that it could not finish; before version 7 it ends with 0 all the same. */
const UNFINISHED = /Error (writing trailer|closing file)/;

/** A program that the user names has to be there: another one in its place would be a surprise. Throws `VideoError`. */
function checkNamedPrograms(): void {
  for (const variable of ['FFMPEG_PATH', 'FFPROBE_PATH']) {
    const path = process.env[variable];
    if (path === undefined || path === '') continue;
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) continue;
    } catch {
      // Said below.
    }
    throw new VideoError(
      `${variable} names ${JSON.stringify(path)}, which is no program that can be started`,
    );
  }
}

/** Starts ffmpeg with up to one input and one output in streams, under backpressure. Throws `VideoError` for a program in FFMPEG_PATH or FFPROBE_PATH that isn't there. */
export function startFfmpeg({ inputs, output, onLine }: FfmpegOptions): FfmpegJob {
  checkNamedPrograms();
  const stdin = new PassThrough();
  // fluent-ffmpeg takes a stream that closes before the process has ended for an error.
  const stdout = new PassThrough({ autoDestroy: false, emitClose: false });
  const command = inSessionOfItsOwn(ffmpeg({ stdoutLines: 50 }));
  for (const { path, options } of inputs) {
    command.input(path ?? stdin);
    withOptions(options ?? [], (...given) => command.inputOptions(...given));
  }
  command.output(output.path ?? stdout);
  withOptions([...output.options, '-nostats', '-nostdin', '-loglevel', 'level+info'], (...given) =>
    command.outputOptions(...given),
  );
  const complaints: string[] = [];
  let unfinished = false;
  let killed = false;
  const done = new Promise<void>((resolve, reject) => {
    command
      .on('stderr', (line: string) => {
        if (/\[(error|fatal|panic)\]/.test(line) && complaints.length < QUOTED_LINES) complaints.push(line);
        unfinished ||= UNFINISHED.test(line);
        onLine?.(line);
      })
      .on('start', () => {
        if (killed) command.kill('SIGKILL');
      })
      .on('end', () => {
        if (unfinished) reject(new VideoError(explain(new Error('the file was not finished'), complaints)));
        else resolve();
      })
      .on('error', (error: Error) => {
        stdout.end();
        reject(new VideoError(explain(error, complaints), { cause: error }));
      });
  });
  // Whoever uses the job hears of it through `done` or the streams; nobody must.
  done.catch(() => undefined);
  command.run();
  return {
    stdin,
    stdout,
    done,
    kill() {
      killed = true;
      command.kill('SIGKILL');
    },
  };
}

/** Runs ffmpeg to its end. Rejects with `VideoError`, and with the signal's reason when that aborts. */
export async function runFfmpeg(options: FfmpegOptions & { readonly signal?: AbortSignal }): Promise<void> {
  const { signal } = options;
  signal?.throwIfAborted();
  const job = startFfmpeg(options);
  const abort = (): void => {
    job.kill();
  };
  signal?.addEventListener('abort', abort);
  try {
    await job.done;
  } finally {
    signal?.removeEventListener('abort', abort);
    signal?.throwIfAborted();
  }
}

/** What ffprobe says of a file. Rejects with `VideoError` when ffmpeg can't read it. */
export function ffprobe(path: string, options: readonly string[] = []): Promise<FfprobeData> {
  return new Promise((resolve, reject) => {
    checkNamedPrograms();
    ffmpeg.ffprobe(
      path,
      [...USER_FILE_OPTIONS, '-loglevel', 'level+error', ...options],
      (error: Error | null, data) => {
        if (error === null) {
          resolve(data);
          return;
        }
        const [, ...lines] = error.message.split('\n');
        reject(new VideoError(explain(error, lines), { cause: error }));
      },
    );
  });
}

/** The version that is installed, as `5.1.9`; 0.0 for a build that has none. Rejects with `VideoError` where ffmpeg is absent. */
export function ffmpegVersion(): Promise<string> {
  return (version ??= readVersion());
}

let version: Promise<string> | undefined;

async function readVersion(): Promise<string> {
  let text = '';
  await runFfmpeg({
    inputs: [{ path: 'anullsrc=d=0.01', options: ['-f', 'lavfi'] }],
    output: { path: '-', options: ['-f', 'null'] },
    onLine: (line) => {
      text += `${line}\n`;
    },
  }).catch((error: unknown) => {
    version = undefined;
    throw error;
  });
  return /ffmpeg version n?(\d+(?:\.\d+)*)/.exec(text)?.[1] ?? '0.0';
}

/** ffmpeg's names of what it can encode with. Rejects with `VideoError` where ffmpeg is absent. */
export function availableEncoders(): Promise<ReadonlySet<string>> {
  return new Promise((resolve, reject) => {
    checkNamedPrograms();
    ffmpeg().getAvailableEncoders((error: Error | null, encoders) => {
      if (error === null) resolve(new Set(Object.keys(encoders)));
      else reject(new VideoError(explain(error, []), { cause: error }));
    });
  });
}

/** The method of fluent-ffmpeg by which a command starts the program. */
interface Starter {
  _spawnFfmpeg(args: readonly string[], options: SpawnOptions, ...callbacks: readonly unknown[]): void;
}

/**
 * Ctrl-C in a terminal, and the terminal's end, reach every process of its session: latentd alone shall hear of them, and let ffmpeg
 * finish the file that it writes. Should latentd be killed, ffmpeg ends with its pipes. fluent-ffmpeg has no option for it.
 */
function inSessionOfItsOwn(command: FfmpegCommand): FfmpegCommand {
  const starter = command as unknown as Starter;
  const start = starter._spawnFfmpeg.bind(command);
  starter._spawnFfmpeg = (args, options, ...callbacks) => {
    start(args, { ...options, detached: true }, ...callbacks);
  };
  return command;
}

/** `outputOptions` splits a single text at its space, several it leaves alone. */
function withOptions(options: readonly string[], add: (...given: string[]) => unknown): void {
  if (options.length > 0) add(...options);
}

function explain(error: Error, complaints: readonly string[]): string {
  if (/Cannot find ff(mpeg|probe)|ENOENT|EACCES/.test(error.message)) return HOW_TO_INSTALL;
  const said = complaints.map(withoutLabels).filter((line) => line !== '');
  if (said.some((line) => /No space left on device/i.test(line))) return NO_SPACE;
  return said.length === 0 ? error.message : [...new Set(said)].join('; ');
}

/** `[mov,mp4 @ 0x55e] [error] moov atom not found` as `moov atom not found`. */
function withoutLabels(line: string): string {
  return line.replace(/^(\[[^\]]*\]\s*)+/, '').trim();
}
