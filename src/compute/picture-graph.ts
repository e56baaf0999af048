/** The operations of `picture-operation.ts`, with the shapes that they need and make. */
import { divideDim, formatShape, multiplyDims, roundUpDim, sameDim, sameShape } from './dim.js';
import type { Value } from './operation.js';
import { RestorationGraph } from './restoration-graph.js';
import type { Weight } from './weight.js';

/** Builds graphs of networks from picture to picture. */
export class PictureGraph extends RestorationGraph {
  prelu(x: Value, slope: Weight): Value {
    const [, channels] = this.shapeOf(x, 4, 'prelu');
    this.checkVector(slope, channels, slope);
    return this.emit({ kind: 'prelu', x, slope }, x.shape);
  }

  mish(x: Value): Value {
    return this.emit({ kind: 'mish', x }, x.shape);
  }

  scalePerChannel(x: Value, v: Value): Value {
    const [batch, channels] = this.shapeOf(x, 4, 'scale_per_channel');
    this.check(
      sameShape(v.shape, [batch, channels]),
      `scale_per_channel can't scale ${formatShape(x.shape)} by ${formatShape(v.shape)}`,
    );
    return this.emit({ kind: 'scale_per_channel', x, v }, x.shape);
  }

  scaleFeatures(x: Value, weight: Weight): Value {
    this.checkVector(weight, x.shape.length === 4 ? x.shape[1] : x.shape.at(-1), weight);
    return this.emit({ kind: 'scale_features', x, weight }, x.shape);
  }

  shift(x: Value, by: number): Value {
    return this.emit({ kind: 'shift', x, by }, x.shape);
  }

  meanPixels(x: Value): Value {
    const [batch, channels] = this.shapeOf(x, 4, 'mean_pixels');
    return this.emit({ kind: 'mean_pixels', x }, [batch, channels]);
  }

  resizeTo(x: Value, to: Value): Value {
    const [batch, channels] = this.shapeOf(x, 4, 'resize_to');
    const [, , height, width] = this.shapeOf(to, 4, 'resize_to');
    return this.emit({ kind: 'resize_to', x, to }, [batch, channels, height, width]);
  }

  sampleOffsets(x: Value, offsets: Value, factor: number, groups: number): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'sample_offsets');
    this.check(
      typeof channels === 'number' &&
        channels % groups === 0 &&
        sameShape(offsets.shape, [batch, 2 * groups * factor ** 2, height, width]),
      `sample_offsets can't read ${formatShape(x.shape)} at ${formatShape(offsets.shape)}`,
    );
    const size = [multiplyDims(height, factor), multiplyDims(width, factor)];
    return this.emit({ kind: 'sample_offsets', x, offsets, factor, groups }, [batch, channels, ...size]);
  }

  pixelShuffle(x: Value, factor: number): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'pixel_shuffle');
    this.check(
      typeof channels === 'number' && channels % factor ** 2 === 0,
      `pixel_shuffle by ${factor} can't take ${formatShape(x.shape)}`,
    );
    return this.emit({ kind: 'pixel_shuffle', x, factor }, [
      batch,
      channels / factor ** 2,
      multiplyDims(height, factor),
      multiplyDims(width, factor),
    ]);
  }

  /** Extents that `factor` doesn't divide fail when the graph runs. */
  pixelUnshuffle(x: Value, factor: number): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'pixel_unshuffle');
    this.check(typeof channels === 'number', `pixel_unshuffle can't take ${formatShape(x.shape)}`);
    return this.emit({ kind: 'pixel_unshuffle', x, factor }, [
      batch,
      channels * factor ** 2,
      divideDim(height, factor),
      divideDim(width, factor),
    ]);
  }

  slice(x: Value, axis: number, from: number, count: number): Value {
    const extent = x.shape[axis];
    this.check(
      typeof extent === 'number' && from >= 0 && from + count <= extent,
      `slice has no entries ${from} to ${from + count} along ${axis} of ${formatShape(x.shape)}`,
    );
    const shape = x.shape.map((dim, index) => (index === axis ? count : dim));
    return this.emit({ kind: 'slice', x, axis, from, count }, shape);
  }

  /** Positive numbers move what there is down and to the right. */
  roll(x: Value, rows: number, columns: number): Value {
    this.shapeOf(x, 4, 'roll');
    return this.emit({ kind: 'roll', x, rows, columns }, x.shape);
  }

  /** Extents that the window doesn't divide fail when the graph runs. */
  windows(x: Value, height: number, width: number): Value {
    const [batch, channels, rows, columns] = this.shapeOf(x, 4, 'windows');
    const count = multiplyDims(batch, multiplyDims(divideDim(rows, height), divideDim(columns, width)));
    return this.emit({ kind: 'windows', x, height, width }, [count, height * width, channels]);
  }

  joinWindows(x: Value, like: Value, height: number, width: number): Value {
    const [, tokens, channels] = this.shapeOf(x, 3, 'join_windows');
    const [batch, , rows, columns] = this.shapeOf(like, 4, 'join_windows');
    this.check(
      tokens === height * width,
      `join_windows can't lay ${formatShape(x.shape)} out as windows of ${height}×${width}`,
    );
    return this.emit({ kind: 'join_windows', x, like, height, width }, [batch, channels, rows, columns]);
  }

  padMultiple(x: Value, multiple: number): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'pad_multiple');
    const size = [roundUpDim(height, multiple), roundUpDim(width, multiple)];
    return this.emit({ kind: 'pad_multiple', x, multiple }, [batch, channels, ...size]);
  }

  /** Extents smaller than those of `like` fail when the graph runs. */
  cropLike(x: Value, like: Value): Value {
    const [batch, channels] = this.shapeOf(x, 4, 'crop_like');
    const [, , height, width] = this.shapeOf(like, 4, 'crop_like');
    return this.emit({ kind: 'crop_like', x, like }, [batch, channels, height, width]);
  }

  combs(x: Value, size: number, by: 'count' | 'step'): Value {
    const [batch, channels, rows, columns] = this.shapeOf(x, 4, 'combs');
    const others = multiplyDims(divideDim(rows, size), divideDim(columns, size));
    const [places, tokens] = by === 'count' ? [others, size * size] : [size * size, others];
    return this.emit({ kind: 'combs', x, size, by }, [multiplyDims(batch, places), tokens, channels]);
  }

  joinCombs(x: Value, like: Value, size: number, by: 'count' | 'step'): Value {
    const [, , channels] = this.shapeOf(x, 3, 'join_combs');
    const [batch, , rows, columns] = this.shapeOf(like, 4, 'join_combs');
    return this.emit({ kind: 'join_combs', x, like, size, by }, [batch, channels, rows, columns]);
  }

  wideWindows(x: Value, size: number, stride: number): Value {
    const [batch, channels, rows, columns] = this.shapeOf(x, 4, 'wide_windows');
    this.check((size - stride) % 2 === 0 && size >= stride, `wide_windows can't centre ${size} on ${stride}`);
    const count = multiplyDims(batch, multiplyDims(divideDim(rows, stride), divideDim(columns, stride)));
    return this.emit({ kind: 'wide_windows', x, size, stride }, [count, size * size, channels]);
  }

  windowAttention(
    query: Value,
    key: Value,
    value: Value,
    heads: number,
    options: { readonly scale: number; readonly bias?: Weight; readonly regions?: Value | undefined },
  ): Value {
    const { scale, bias, regions } = options;
    const [windows, tokens, features] = this.shapeOf(query, 3, 'window_attention');
    const [, asked, keyFeatures] = this.shapeOf(key, 3, 'window_attention');
    this.check(
      sameDim(features, keyFeatures) && typeof features === 'number' && features % heads === 0,
      `window_attention with ${heads} heads can't split ${formatShape(query.shape)} and ${formatShape(key.shape)}`,
    );
    this.check(
      sameShape(key.shape.slice(0, 2), value.shape.slice(0, 2)),
      "window_attention's operands disagree",
    );
    if (bias !== undefined) {
      this.check(
        bias.shape.join() === [heads, tokens, asked].join(),
        `${bias.name} should have shape [${heads}, ${String(tokens)}, ${String(asked)}], has ${formatShape(bias.shape)}`,
      );
    }
    this.check(
      regions === undefined || sameShape(regions.shape, [windows, tokens, 1]),
      `window_attention needs a region for each token, got ${formatShape(regions?.shape ?? [])}`,
    );
    return this.emit({ kind: 'window_attention', query, key, value, heads, scale, bias, regions }, [
      windows,
      tokens,
      value.shape[2]!,
    ]);
  }

  channelAttention(
    query: Value,
    key: Value,
    value: Value,
    heads: number,
    options: { readonly temperature: Weight; readonly normalized: boolean },
  ): Value {
    const [, , features] = this.shapeOf(query, 3, 'channel_attention');
    this.check(
      sameShape(query.shape, key.shape) &&
        sameShape(query.shape, value.shape) &&
        typeof features === 'number' &&
        features % heads === 0,
      `channel_attention with ${heads} heads can't split ${formatShape(query.shape)}`,
    );
    return this.emit({ kind: 'channel_attention', query, key, value, heads, ...options }, query.shape);
  }

  normalizeHeads(x: Value, heads: number): Value {
    const [, , features] = this.shapeOf(x, 3, 'normalize_heads');
    this.check(
      typeof features === 'number' && features % heads === 0,
      `normalize_heads with ${heads} heads can't split ${formatShape(x.shape)}`,
    );
    return this.emit({ kind: 'normalize_heads', x, heads }, x.shape);
  }
}
