/**
 * A film, frame by frame through a function: decode → process → encode, each a few frames ahead of the next, in stretches that survive a
 * restart; then sound, subtitles and chapters beside them as they were.
 */
import { renameSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Tensor } from '../compute/tensor.js';
import { assemble } from './assemble.js';
import { chooseOutput, rawFormat, type Codec, type Container } from './codecs.js';
import { planColour } from './colour.js';
import { decodeVideo, type DecodedFrame } from './decode.js';
import { Stretch } from './encode.js';
import { ffmpegVersion, NO_SPACE } from './ffmpeg.js';
import { VideoError } from './video-error.js';
import { fromImage, toImage, type RawFrame } from './frames.js';
import type { RawFormat } from './nut.js';
import { valueOf, type Rational } from './rational.js';
import { fileIdentity, SideFolder, type FilmClock } from './side-folder.js';
import { probeVideo, type VideoInfo } from './video-info.js';

/** Makes one image of another, both 1×H×W×3 in [0, 1]. Frames come upright; all results of a film have one size. */
export type FrameProcessor = (frame: Tensor, signal: AbortSignal) => Promise<Tensor>;

export interface FilmProgress {
  /** Frames that are done, those of an earlier run included. */
  readonly done: number;
  /** About how many there are; 0 where nobody knows. */
  readonly total: number;
}

export interface FilmOptions {
  /** Absolute paths. */
  readonly input: string;
  readonly output: string;
  readonly process: FrameProcessor;
  /** What the results depend on beside the input: the work of an earlier run counts only where this is the same. */
  readonly identity: unknown;
  /** By the output's extension where left out. */
  readonly codec?: string;
  readonly crf?: number;
  /** Frames after which a stretch ends; fewer where frames are slow. */
  readonly stretchFrames?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FilmProgress) => void;
  readonly onWarning?: (text: string) => void;
}

export interface FilmResult {
  readonly frames: number;
  /** Those of an earlier run. */
  readonly resumed: number;
  readonly width: number;
  readonly height: number;
}

/** Frames waiting between two parts of the way. */
const BUFFERED = 2;
const STRETCH_FRAMES = 240;
/** A stretch of slow frames ends after so many milliseconds, so that a restart loses no more. */
const STRETCH_MS = 60_000;

/**
 * Writes `output`, which appears when it is whole; until then the work is in `OUTPUT.latentd` beside it, and another call with the same
 * input, output and identity goes on there. Rejects with `VideoError` for what can't be read or written, and with the signal's
 * reason when that aborts.
 */
export async function processFilm(options: FilmOptions): Promise<FilmResult> {
  const { input, output, signal = new AbortController().signal, onWarning } = options;
  const { container, codec } = chooseOutput(output, options.codec);
  const source = await probeVideo(input);
  if (source.alpha) onWarning?.('its transparency is left out: models see RGB');
  const settings = { codec, crf: options.crf, version: await ffmpegVersion() };
  const folder = SideFolder.open(output, { input: fileIdentity(input), settings, frames: options.identity });
  try {
    if (folder.discarded) onWarning?.('work of an earlier run with other settings was thrown away');
    const film = new Film({ ...options, signal }, { source, container, codec }, folder);
    const result = await film.run();
    renameSync(await film.assemble(), output);
    folder.remove();
    return result;
  } catch (error) {
    signal.throwIfAborted();
    throw withWhatIsDone(error, folder.frames);
  } finally {
    folder.release();
  }
}

/** Errors of files and of ffmpeg say that what is done is not lost; others are left as they are. */
function withWhatIsDone(error: unknown, frames: number): unknown {
  const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
  if (!full && !(error instanceof VideoError)) return error;
  const message = full ? NO_SPACE : (error as Error).message;
  return frames === 0
    ? new VideoError(message, { cause: error })
    : new VideoError(`${message}; ${frames} frames are done, and the same command goes on after them`, {
        cause: error,
      });
}

interface Target {
  readonly source: VideoInfo;
  readonly container: Container;
  readonly codec: Codec;
}

interface ProcessedFrame {
  readonly frame: RawFrame;
  readonly index: number;
  readonly pts: number;
  readonly timeBase: Rational;
}

/** A stretch that is open: which frames are in it so far. */
interface OpenStretch {
  readonly stretch: Stretch;
  readonly file: string;
  readonly opened: number;
  readonly firstFrame: number;
  readonly firstPts: number;
  frames: number;
  lastPts: number;
}

class Film {
  private readonly deep: boolean;
  private readonly format: RawFormat;
  private readonly rotation: number;
  private clock: FilmClock | undefined;
  /** Of the last frame that was written. */
  private lastPts: number;
  private size = { width: 0, height: 0 };
  private open: OpenStretch | undefined;
  /** The stretch before, while ffmpeg finishes it; aborted when it can't. */
  private closing: Promise<void> = Promise.resolve();
  private readonly unfinished = new AbortController();

  constructor(
    private readonly options: FilmOptions & { readonly signal: AbortSignal },
    private readonly target: Target,
    private readonly folder: SideFolder,
  ) {
    const { source, container, codec } = target;
    this.deep = source.bits > 8 && codec !== 'h264';
    this.rotation = container.keepsRotation && !source.mirrored ? source.rotation : 0;
    this.format = rawFormat({ deep: this.deep });
    this.clock = folder.clock;
    this.lastPts = folder.finished.at(-1)?.lastPts ?? -1;
  }

  async run(): Promise<FilmResult> {
    const resumed = this.folder.frames;
    const { frames: total } = this.target.source;
    let done = resumed;
    this.options.onProgress?.({ done, total });
    try {
      const processed = Readable.from(this.processed(resumed), { highWaterMark: BUFFERED });
      for await (const frame of processed as AsyncIterable<ProcessedFrame>) {
        await this.write(frame);
        done++;
        this.options.onProgress?.({ done, total: Math.max(total, done) });
      }
      this.finishStretch();
      await this.closing;
    } catch (error) {
      // What is done is done: the frames of the open stretch are kept for a restart, if ffmpeg still can.
      await this.closing.catch(() => undefined);
      this.finishStretch();
      await this.closing.catch(() => undefined);
      this.options.signal.throwIfAborted();
      throw error;
    }
    if (done === 0) throw new VideoError(`${this.target.source.path}: no frame of it can be decoded`);
    return { frames: done, resumed, ...this.size };
  }

  assemble(): Promise<string> {
    const { source, container, codec } = this.target;
    const { signal, onWarning } = this.options;
    const { folder, rotation } = this;
    const clock = this.clock!;
    return assemble({
      source,
      folder,
      clock,
      container,
      codec,
      rotation,
      signal,
      lastTicks: this.lastTicks(clock),
      ...(onWarning && { onWarning }),
    });
  }

  /** Frames after the first `skip`, each turned into what it becomes. */
  private async *processed(skip: number): AsyncGenerator<ProcessedFrame> {
    const { signal, onWarning, process } = this.options;
    const decoded = decodeVideo(this.target.source, {
      format: this.format,
      skip,
      signal,
      onFault: (fault) => onWarning?.(`the file has faults (${fault}); what could be decoded was taken`),
    });
    const images = Readable.from(imagesOf(decoded), { highWaterMark: BUFFERED });
    let running: Running | undefined;
    for await (const { image, index, pts, timeBase } of images as AsyncIterable<DecodedImage>) {
      const before = running;
      const result = await before?.result;
      signal.throwIfAborted();
      // The next one is begun before this one is converted; its failure is heard of in its turn.
      running = { index, pts, timeBase, result: process(image, signal) };
      running.result.catch(() => undefined);
      if (result !== undefined) yield this.converted(result, before!);
    }
    if (running !== undefined) yield this.converted(await running.result, running);
  }

  private converted(result: Tensor, { index, pts, timeBase }: Running): ProcessedFrame {
    return { frame: fromImage(result, 0, this.format), index, pts, timeBase };
  }

  private async write({ frame, index, pts: told, timeBase: toldIn }: ProcessedFrame): Promise<void> {
    this.unfinished.signal.throwIfAborted();
    const pts = this.retimed(told, toldIn);
    const open = (this.open ??= await this.begin(frame, index, pts));
    await open.stretch.write(frame, pts);
    open.frames++;
    open.lastPts = pts;
    const { stretchFrames = STRETCH_FRAMES } = this.options;
    if (open.frames >= stretchFrames || performance.now() - open.opened > STRETCH_MS) {
      await this.closing;
      this.finishStretch();
    }
  }

  /** The timestamp in the new film's units, counted from its first frame, each later than the one before. */
  private retimed(pts: number, timeBase: Rational): number {
    const { constantRate } = this.target.source;
    const seconds = pts * valueOf(timeBase);
    this.clock ??= {
      timeBase: constantRate === undefined ? timeBase : { num: constantRate.den, den: constantRate.num },
      start: seconds,
    };
    const ticks = Math.round((seconds - this.clock.start) / valueOf(this.clock.timeBase));
    this.lastPts = Math.max(ticks, this.lastPts + 1);
    return this.lastPts;
  }

  private async begin(
    { width, height }: RawFrame,
    firstFrame: number,
    firstPts: number,
  ): Promise<OpenStretch> {
    this.size = { width, height };
    const { source, codec } = this.target;
    const { crf } = this.options;
    const file = `stretch-${String(firstFrame).padStart(9, '0')}.${codec === 'prores' ? 'mov' : 'mp4'}`;
    const stretch = await Stretch.open(this.folder.pathOf(file), {
      codec,
      width,
      height,
      deep: this.deep,
      rotation: this.rotation,
      timeBase: this.clock!.timeBase,
      frameRate: source.frameRate,
      colour: planColour(source, { width, height }),
      ...this.sampleAspect(),
      ...(crf !== undefined && { crf }),
    });
    return { stretch, file, opened: performance.now(), firstFrame, firstPts, frames: 0, lastPts: firstPts };
  }

  /** Lets ffmpeg finish the open stretch while the next one begins. */
  private finishStretch(): void {
    const { open } = this;
    if (open === undefined) return;
    this.open = undefined;
    const closed = open.stretch.close();
    closed.catch(() => undefined);
    this.closing = Promise.all([this.closing, closed]).then(() => {
      const { file, firstFrame, frames, firstPts, lastPts } = open;
      this.folder.add({ file, firstFrame, frames, firstPts, lastPts }, this.clock!);
    });
    this.closing.catch((error: unknown) => {
      this.unfinished.abort(error);
    });
  }

  /** Stored upright where no player is told to turn the frames, pixels that aren't square are turned too. */
  private sampleAspect(): { readonly sampleAspect?: Rational } {
    const { sampleAspect, rotation } = this.target.source;
    if (sampleAspect === undefined) return {};
    const turned = Math.abs(rotation) === 90 && this.rotation === 0;
    return { sampleAspect: turned ? { num: sampleAspect.den, den: sampleAspect.num } : sampleAspect };
  }

  /** How long the last frame is shown: until the source's end, where it says when that is and the answer is believable. */
  private lastTicks({ timeBase }: FilmClock): number {
    const { source } = this.target;
    const { finished } = this.folder;
    const unit = valueOf(timeBase);
    const step = Math.max(1, Math.round(1 / valueOf(source.gridRate) / unit));
    if (source.constantRate !== undefined || source.durationTicks === undefined) return step;
    const end = Math.round((source.durationTicks * valueOf(source.timeBase)) / unit);
    const left = end - finished.at(-1)!.lastPts;
    return left > 0 && left <= 10 * step ? left : step;
  }
}

/** A frame that is in work. */
interface Running extends Pick<DecodedFrame, 'index' | 'pts' | 'timeBase'> {
  readonly result: Promise<Tensor>;
}

interface DecodedImage extends Pick<DecodedFrame, 'index' | 'pts' | 'timeBase'> {
  readonly image: Tensor;
}

async function* imagesOf(frames: AsyncIterable<DecodedFrame>): AsyncGenerator<DecodedImage> {
  for await (const frame of frames) {
    const { index, pts, timeBase } = frame;
    yield { image: toImage(frame), index, pts, timeBase };
  }
}
