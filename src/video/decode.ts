/** A film as a stream of frames with their timestamps. */
import { ByteReader } from './byte-reader.js';
import { conversionFilters, inputOptions, type ColourConversion } from './conversion.js';
import { startFfmpeg, USER_FILE_OPTIONS, type FfmpegJob } from './ffmpeg.js';
import { VideoError } from './video-error.js';
import { frameBytes, type FrameFormat, type RawFrame } from './frames.js';
import { parseRational, valueOf, type Rational } from './rational.js';
import { passthroughOptions } from './versions.js';
import type { VideoInfo } from './video-info.js';

export interface DecodedFrame<Format extends FrameFormat = FrameFormat> extends RawFrame<Format> {
  /** 0 for the file's first frame. */
  readonly index: number;
  /** When it is shown, in units of `timeBase`, counted from the file's start; each is later than the one before. */
  readonly pts: number;
  readonly timeBase: Rational;
}

export interface DecodeOptions<Format extends FrameFormat = FrameFormat> {
  readonly format: Format;
  /** Frames to leave out at the beginning; they are decoded, and nothing else is done with them. */
  readonly skip?: number;
  /** `accurate` where left out. */
  readonly conversion?: ColourConversion;
  readonly signal?: AbortSignal;
  /** Told once of a file that has faults, after which ffmpeg went on. */
  readonly onFault?: (message: string) => void;
}

/**
 * The frames of a video, upright, in the order in which they are shown. ffmpeg is only as far ahead as its pipe holds. Throws
 * `VideoError` when ffmpeg fails, and the signal's reason when that aborts.
 */
export async function* decodeVideo<Format extends FrameFormat>(
  info: VideoInfo,
  options: DecodeOptions<Format>,
): AsyncGenerator<DecodedFrame<Format>> {
  const { format, skip = 0, conversion = 'accurate', signal } = options;
  const clock = new FrameClock(info);
  const { width, height } = info;
  const filters = [
    ...(skip > 0 ? [`select=gte(n\\,${skip})`] : []),
    'showinfo=checksum=0',
    ...conversionFilters(info, format, conversion),
  ];
  signal?.throwIfAborted();
  const job = startFfmpeg({
    inputs: [{ path: info.path, options: [...USER_FILE_OPTIONS, ...inputOptions(conversion)] }],
    output: {
      options: [
        ...['-map', `0:${info.index}`, '-an', '-sn', '-dn'],
        ...['-vf', filters.join(',')],
        ...(await passthroughOptions()),
        ...['-c:v', 'rawvideo', '-f', 'rawvideo'],
      ],
    },
    onLine: (line) => {
      clock.see(line);
    },
  });
  const end = (): void => {
    clock.end();
  };
  job.done.then(end, end);
  const stop = (): void => {
    job.kill();
  };
  signal?.addEventListener('abort', stop);
  try {
    yield* framesOf(job, clock, { width, height, format, skip });
    if (clock.fault !== undefined) options.onFault?.(clock.fault);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    job.kill();
  }
}

async function* framesOf<Format extends FrameFormat>(
  job: FfmpegJob,
  clock: FrameClock,
  { width, height, format, skip }: Omit<RawFrame<Format>, 'bytes'> & { readonly skip: number },
): AsyncGenerator<DecodedFrame<Format>> {
  const reader = new ByteReader(job.stdout);
  for (let index = skip; ; index++) {
    const bytes = await reader.read(frameBytes(format, width, height));
    if (bytes === undefined) break;
    // Logged before the frame was written; the log's pipe may still be behind.
    const pts = await clock.next();
    yield { width, height, format, bytes, index, pts, timeBase: clock.timeBase };
  }
  await job.done;
}

/** Timestamps out of ffmpeg's log, where its filter `showinfo` writes a line a frame. */
class FrameClock {
  timeBase: Rational;
  /** The first error that was logged. */
  fault: string | undefined;
  private readonly times: (number | undefined)[] = [];
  private last: number | undefined;
  private waiting: (() => void) | undefined;
  private ended = false;

  constructor(private readonly info: VideoInfo) {
    this.timeBase = info.timeBase;
  }

  see(line: string): void {
    if (/\[(error|fatal)\]/.test(line)) this.fault ??= line.replace(/^(\[[^\]]*\]\s*)+/, '');
    if (!line.includes('showinfo')) return;
    const base = parseRational(/config in time_base: (\d+\/\d+)/.exec(line)?.[1]);
    if (base !== undefined) this.timeBase = base;
    const pts = /\bn: *\d+ pts: *(-?\d+|NOPTS)/.exec(line)?.[1];
    if (pts === undefined) return;
    this.times.push(pts === 'NOPTS' ? undefined : Number(pts));
    this.waiting?.();
  }

  /** Nothing more will be logged. */
  end(): void {
    this.ended = true;
    this.waiting?.();
  }

  /** The next frame's; one that isn't later than the one before's, or is unknown, is a frame's time after it. */
  async next(): Promise<number> {
    if (this.times.length === 0) await this.line();
    const told = this.times.shift();
    const step = Math.max(1, Math.round(1 / valueOf(this.info.frameRate) / valueOf(this.timeBase)));
    const later = this.last === undefined ? 0 : this.last + step;
    const pts = told === undefined || (this.last !== undefined && told <= this.last) ? later : told;
    this.last = pts;
    return pts;
  }

  private async line(): Promise<void> {
    if (!this.ended) {
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
      this.waiting = undefined;
    }
    if (this.times.length === 0) throw new VideoError('ffmpeg gave a frame without saying when it is shown');
  }
}
