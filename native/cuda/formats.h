// What both the host's and the card's code must agree on.
#pragma once

namespace latentd::cuda {

/// Numbers that are loaded and stored at once: 16 bytes, aligned.
constexpr int kVector = 8;

/// What products and elementwise kernels may apply (`Activation` of the compute graph).
enum class Activation : int { kNone, kSilu, kGelu, kQuickGelu, kRelu, kSigmoid, kTanh, kGeglu, kGeluTanh };

}  // namespace latentd::cuda
