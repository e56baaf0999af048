/** The addon's random number generators. */

/**
 * torch's CPU random number generator, bit for bit (torch 2.x on x86): `torch.Generator().manual_seed(seed)` and the
 * calls that take it. Successive calls go on in one stream, as in torch.
 */
export interface TorchGenerator {
  /** `torch.rand(count, dtype)`: uniform in [0, 1). Narrower types are returned as the float32 values they round to. */
  rand(count: number, dtype?: 'F32' | 'F16' | 'BF16'): Float32Array;
  rand(count: number, dtype: 'F64'): Float64Array;
  /** `torch.randn(count, dtype)`, for a tensor of any shape with `count` elements. */
  randn(count: number, dtype?: 'F32' | 'F16' | 'BF16'): Float32Array;
  randn(count: number, dtype: 'F64'): Float64Array;
  /** The engine's next 32 bits; `torch.randint(n)` is this modulo n for n below 2^28. */
  random32(): number;
}

/**
 * torch's CUDA generator, computed on the host: Philox 4×32-10 laid out over blocks and threads as torch launches them.
 * Within about 1e-6 of a GPU, whose sine and cosine are approximations.
 */
export interface CudaGenerator {
  /** `torch.randn(count, device='cuda')` in float32. */
  randn(count: number): Float32Array;
}

/** torchsde's `BrownianTree`: a Brownian path that is the same wherever, and in whatever order, it is looked at. */
export interface BrownianTree {
  /** The path's increment between two times, `from` <= `to`, each first moved into the tree's interval. */
  increment(from: number, to: number): Float32Array;
}
