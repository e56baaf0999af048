// The block transform behind torch.randn.
#pragma once

#include <span>

namespace latentd {

/// Turns 16 uniforms into 16 normals in place, as torch's AVX2 kernel does: the first eight give radii, the
/// last eight angles; results are 8 cosines, then 8 sines.
void BoxMuller16(std::span<float, 16> block);
void BoxMuller16(std::span<double, 16> block);

}  // namespace latentd
