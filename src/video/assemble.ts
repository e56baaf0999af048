/** Finished stretches, and everything of the source that isn't pictures, as one film. */
import { writeFileSync } from 'node:fs';
import { TEXT_SUBTITLES, type Codec, type Container } from './codecs.js';
import { trackTimescale } from './encode.js';
import { runFfmpeg, USER_FILE_OPTIONS } from './ffmpeg.js';
import { formatRational, valueOf } from './rational.js';
import type { FilmClock, SideFolder } from './side-folder.js';
import { rotationOptions } from './versions.js';
import type { VideoInfo } from './video-info.js';

export interface FilmAssembly {
  readonly source: VideoInfo;
  readonly folder: SideFolder;
  readonly clock: FilmClock;
  /** How long the last frame is shown, in units of the clock. */
  readonly lastTicks: number;
  readonly container: Container;
  readonly codec: Codec;
  readonly rotation: number;
  readonly signal?: AbortSignal;
  readonly onWarning?: (text: string) => void;
}

/** Writes the whole film into the folder and returns its path there. */
export async function assemble(job: FilmAssembly): Promise<string> {
  const { source, folder, container, codec, clock, signal } = job;
  const list = folder.pathOf('stretches.ffconcat');
  writeFileSync(list, concatList(job));
  const whole = folder.pathOf(`whole${container.extension}`);
  const rotation = await rotationOptions(job.rotation);
  const offset = clock.start.toFixed(9);
  await runFfmpeg({
    inputs: [
      { path: list, options: [...rotation.input, '-itsoffset', offset, '-f', 'concat', '-safe', '0'] },
      { path: source.path, options: USER_FILE_OPTIONS },
    ],
    output: {
      path: whole,
      options: [
        ...['-map', '0:v:0', '-c:v', 'copy'],
        ...(codec === 'h265' && container.extension !== '.mkv' ? ['-tag:v', 'hvc1'] : []),
        ...timingOptions(job),
        ...audioOptions(job),
        ...subtitleOptions(job),
        ...['-map_metadata', '1', '-map_chapters', '1'],
        ...rotation.output,
        ...container.options,
      ],
    },
    ...(signal && { signal }),
  });
  return whole;
}

/** Stretches with the times between their beginnings, which ffmpeg would otherwise take from rounded lengths. */
function concatList({ folder, clock, lastTicks }: FilmAssembly): string {
  const { finished } = folder;
  const micro = (pts: number) => Math.round((pts * 1e6 * clock.timeBase.num) / clock.timeBase.den);
  const lines = finished.map(({ file, firstPts, lastPts }, index) => {
    const end = finished[index + 1]?.firstPts ?? lastPts + lastTicks;
    return `file ${file}\nduration ${((micro(end) - micro(firstPts)) / 1e6).toFixed(6)}\n`;
  });
  return `ffconcat version 1.0\n${lines.join('')}`;
}

/**
 * MP4 knows a frame's time by the next one's timestamp, and the last frame has none. Matroska is told the rate, for its timestamps are
 * rounded to milliseconds.
 */
function timingOptions({ source, container, lastTicks, clock }: FilmAssembly): string[] {
  if (!container.keepsRotation) {
    return source.constantRate === undefined ? [] : ['-r:v:0', formatRational(source.constantRate)];
  }
  const timescale = trackTimescale(clock.timeBase);
  // The stretches have the same timescale, so that it doesn't matter whether ffmpeg filters before it converts or after.
  const units = (ticks: number): number => Math.round(ticks * valueOf(clock.timeBase) * timescale);
  const [next, jump] = [`PREV_OUTDTS+${units(1)}`, `gt(DTS\\,PREV_OUTDTS+${units(4)})`];
  const step = source.constantRate === undefined ? 'DTS' : `if(${jump}\\,DTS\\,min(DTS\\,${next}))`;
  return [
    ...['-video_track_timescale', String(timescale)],
    // Stretches of one or two frames aren't reordered, so that they are decoded earlier or later than the others.
    ...[
      '-bsf:v',
      `setts=pts=PTS:dts=if(N\\,max(PREV_OUTDTS+1\\,${step})\\,DTS):duration=${units(lastTicks)}`,
    ],
  ];
}

function audioOptions({ source, container, onWarning }: FilmAssembly): string[] {
  const [encoder, bitrate] = container.audioEncoder as readonly [string, string];
  return source.audio.flatMap(({ index, codec }, output) => {
    const copied = container.audio === 'any' || container.audio.has(codec);
    if (!copied)
      onWarning?.(`sound in ${codec} can't be copied into ${container.extension}; it becomes ${encoder}`);
    return [
      ...['-map', `1:${index}`],
      ...(copied ? [`-c:a:${output}`, 'copy'] : [`-c:a:${output}`, encoder, `-b:a:${output}`, bitrate]),
    ];
  });
}

function subtitleOptions({ source, container, onWarning }: FilmAssembly): string[] {
  const { text, copied } = container.subtitles;
  let output = 0;
  return source.subtitles.flatMap(({ index, codec }) => {
    const form = copied.has(codec) ? 'copy' : TEXT_SUBTITLES.has(codec) ? text : undefined;
    if (form === undefined) {
      onWarning?.(
        `subtitles in ${codec === '' ? 'an unknown form' : codec} have no place in ${container.extension}; they are left out`,
      );
      return [];
    }
    return ['-map', `1:${index}`, `-c:s:${output++}`, form];
  });
}
