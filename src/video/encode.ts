/** A stretch of film being written: frames with timestamps in, a file out. */
import { once } from 'node:events';
import { encoderOptions, pixelFormat, rawFormat, type EncoderSettings } from './codecs.js';
import { tagOptions, type ColourPlan } from './colour.js';
import { startFfmpeg, type FfmpegJob } from './ffmpeg.js';
import type { RawFrame } from './frames.js';
import { nutFrameHeader, nutHeader } from './nut.js';
import { formatRational, type Rational } from './rational.js';
import { passthroughOptions } from './versions.js';

export interface StretchOptions extends EncoderSettings {
  /** Pixels of a frame as it is shown; both even. */
  readonly width: number;
  readonly height: number;
  readonly timeBase: Rational;
  readonly colour: ColourPlan;
  /** Degrees, counter-clockwise, by which a player will turn the frames, so that they are stored turned back. */
  readonly rotation: number;
  readonly sampleAspect?: Rational;
}

/** Units of a second in MP4 and QuickTime files, in which each tick of the time base is a whole number of units. */
export function trackTimescale({ den }: Rational): number {
  return den < 1000 ? den * 1000 : den;
}

/** Filters that turn frames so that turning them by `rotation` restores them. */
const TURNED_BACK: Readonly<Record<number, readonly string[]>> = {
  90: ['transpose=clock'],
  [-90]: ['transpose=cclock'],
  180: ['hflip', 'vflip'],
};

/** Writes frames into a file of their own, as far ahead of ffmpeg as its pipe holds. */
export class Stretch {
  private readonly failed = new AbortController();
  private firstPts: number | undefined;

  private constructor(
    private readonly job: FfmpegJob,
    private readonly options: StretchOptions,
  ) {
    const { width, height, timeBase } = options;
    job.stdin.on('error', () => undefined);
    job.done.catch((error: unknown) => {
      this.failed.abort(error);
    });
    job.stdin.write(nutHeader({ width, height, format: rawFormat(options), timeBase }));
  }

  static async open(path: string, options: StretchOptions): Promise<Stretch> {
    const { colour, timeBase, sampleAspect } = options;
    const filters = [
      ...(TURNED_BACK[options.rotation] ?? []),
      `scale=out_color_matrix=${colour.matrix}:out_range=${colour.range}:flags=bicubic+accurate_rnd+full_chroma_int`,
      `format=${pixelFormat(options)}`,
      ...(sampleAspect === undefined ? [] : [`setsar=${formatRational(sampleAspect)}`]),
    ];
    const job = startFfmpeg({
      inputs: [{ options: ['-probesize', '32', '-analyzeduration', '0', '-f', 'nut'] }],
      output: {
        path,
        options: [
          ...['-vf', filters.join(',')],
          ...(await passthroughOptions()),
          ...['-enc_time_base', formatRational(timeBase)],
          ...encoderOptions(options),
          ...tagOptions(colour.tags),
          ...['-video_track_timescale', String(trackTimescale(timeBase))],
          // The muxer would give the last frame no time, or that of another rate.
          ...['-bsf:v', 'setts=pts=PTS:dts=DTS:duration=if(eq(N\\,0)\\,DURATION\\,DTS-PREV_INDTS)'],
          ...['-f', options.codec === 'prores' ? 'mov' : 'mp4'],
        ],
      },
    });
    return new Stretch(job, options);
  }

  /** Takes a frame, and waits while ffmpeg is behind. Rejects with `VideoError` when it has failed. */
  async write(frame: RawFrame, pts: number): Promise<void> {
    const { width, height } = this.options;
    if (frame.width !== width || frame.height !== height) {
      throw new RangeError(`a frame of ${frame.width}×${frame.height} in a film of ${width}×${height}`);
    }
    this.firstPts ??= pts;
    const { stdin } = this.job;
    stdin.write(nutFrameHeader(pts - this.firstPts, frame.bytes.length));
    if (!stdin.write(frame.bytes))
      await this.orFailure(() => once(stdin, 'drain', { signal: this.failed.signal }));
    else this.failed.signal.throwIfAborted();
  }

  /** Ends the file and waits until it is whole. */
  async close(): Promise<void> {
    this.job.stdin.end();
    await this.job.done;
  }

  private async orFailure(wait: () => Promise<unknown>): Promise<void> {
    try {
      await wait();
    } catch (error) {
      this.failed.signal.throwIfAborted();
      throw error;
    }
  }
}
