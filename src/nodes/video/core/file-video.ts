/** A film in a file (ComfyUI comfy_api/latest/_input_impl/video_types.py, VideoFromFile). */
import { tensor } from '../../../compute/tensor.js';
import { pyavFormat } from '../../../video/conversion.js';
import { decodeVideo } from '../../../video/decode.js';
import { runFfmpeg, USER_FILE_OPTIONS } from '../../../video/ffmpeg.js';
import { toImage } from '../../../video/frames.js';
import { valueOf } from '../../../video/rational.js';
import { passthroughOptions } from '../../../video/versions.js';
import { probeVideo, type VideoInfo } from '../../../video/video-info.js';
import type { Video, VideoComponents, VideoSaving } from '../../values.js';
import { FrameBatch } from '../frame-batch.js';
import { readAudio } from '../read-audio.js';
import { cutSound, H264_OPTIONS, pixelsOf } from './frames-video.js';
import { evenSides, withSideFiles } from './write-film.js';

const MP4_FAMILY = new Set(['mp4', 'mov', 'm4a', '3gp', '3g2', 'mj2']);

/** The seconds of it that are meant: from the end where `start` is negative, all that is left where `length` is 0. */
interface Stretch {
  readonly start: number;
  readonly length: number;
}

export function fileVideo(path: string, stretch: Stretch = { start: 0, length: 0 }): Video {
  return new FileVideo(path, stretch);
}

class FileVideo implements Video {
  constructor(
    private readonly path: string,
    private readonly stretch: Stretch,
  ) {}

  async size(): Promise<{ readonly width: number; readonly height: number }> {
    return (await probeVideo(this.path)).stored;
  }

  async duration(): Promise<number> {
    const { fileDuration } = await probeVideo(this.path);
    const { start, length } = this.stretch;
    const left = start < 0 ? Math.min(fileDuration, -start) : fileDuration - start;
    return length === 0 ? left : Math.min(length, left);
  }

  async trim(start: number, length: number, strict: boolean): Promise<Video | undefined> {
    const trimmed = new FileVideo(this.path, { start: start + this.stretch.start, length });
    return strict && (await trimmed.duration()) < length ? undefined : trimmed;
  }

  async read(signal: AbortSignal): Promise<VideoComponents> {
    const info = await probeVideo(this.path);
    const { start, length } = shown(info, this.stretch);
    const images = await framesBetween(info, start, length, signal);
    return {
      images,
      audio: async (own) => cutSound(await readAudio(info, {}, own, 'last'), start, length),
      frameRate: valueOf(info.frameRate),
      bitDepth: info.bits,
    };
  }

  async save(path: string, { container, codec, texts, signal }: VideoSaving): Promise<void> {
    const info = await probeVideo(this.path);
    const whole = this.stretch.start === 0 && this.stretch.length === 0;
    const asAsked =
      (container === 'auto' || info.containers.includes(container)) &&
      (codec === 'auto' || codec === info.codec);
    const { inputs, output } =
      whole && asAsked ? copying(info) : await transcoding(info, shown(info, this.stretch));
    await withSideFiles(path, { texts }, async (sides) => {
      await runFfmpeg({
        inputs: [{ path: info.path, options: [...USER_FILE_OPTIONS, ...inputs] }, ...sides.inputs],
        output: {
          path,
          // The workflow's own texts come first; of the same key the first is kept.
          options: [
            ...output,
            ...sides.options,
            '-map_metadata',
            '0',
            '-movflags',
            'use_metadata_tags',
            '-f',
            'mp4',
          ],
        },
        signal,
      });
    });
  }
}

function shown({ fileDuration }: VideoInfo, { start, length }: Stretch): Stretch {
  return { start: start < 0 ? Math.max(fileDuration + start, 0) : start, length };
}

interface FfmpegArguments {
  readonly inputs: readonly string[];
  readonly output: readonly string[];
}

/** Streams as they are; pictures of subtitles have no place in an MP4. */
function copying({ subtitles, containers }: VideoInfo): FfmpegArguments {
  const texts = containers.some((name) => MP4_FAMILY.has(name)) ? subtitles : [];
  const maps = texts.flatMap(({ index }) => ['-map', `0:${index}`]);
  return { inputs: [], output: ['-map', '0:V', '-map', '0:a?', ...maps, '-c', 'copy'] };
}

/** H.264 without frames that lean on later ones, as ComfyUI has it so that times stay what they were. */
async function transcoding(info: VideoInfo, { start, length }: Stretch): Promise<FfmpegArguments> {
  const sound = info.audio.at(-1);
  return {
    inputs: [...(start > 0 ? ['-ss', String(start)] : []), ...(length > 0 ? ['-t', String(length)] : [])],
    output: [
      ...['-map', `0:${info.index}`],
      ...(sound === undefined ? [] : ['-map', `0:${sound.index}`]),
      ...[
        '-vf',
        [
          ...evenSides(info.width, info.height),
          'scale=out_range=tv:flags=bilinear',
          `format=${pixelsOf(info.bits)}`,
        ].join(','),
      ],
      ...(await passthroughOptions()),
      ...[...H264_OPTIONS, '-bf', '0'],
    ],
  };
}

/** Frames whose time lies in the stretch, all in memory. */
async function framesBetween(info: VideoInfo, start: number, length: number, signal: AbortSignal) {
  const { width, height } = info;
  const pixels = width * height * 3;
  const expected = Math.ceil(
    (length > 0 ? Math.min(length, info.duration) : info.duration) * valueOf(info.frameRate),
  );
  const batch = new FrameBatch(pixels, Math.max(expected, 1), 'take less of it with Video Slice');
  const options = { format: pyavFormat(info), conversion: 'pyav', signal } as const;
  for await (const frame of decodeVideo(info, options)) {
    const unit = valueOf(frame.timeBase);
    if (frame.pts < Math.trunc(start / unit)) continue;
    if (length > 0 && frame.pts >= Math.trunc((start + length) / unit)) break;
    batch.add(toImage(frame).data);
  }
  return tensor([batch.count, ...(batch.count === 0 ? [0, 0] : [height, width]), 3], batch.values());
}
