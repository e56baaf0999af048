// The middle of symmetric beta distributions, as scipy finds it.
#pragma once

#include <cmath>
#include <string_view>

namespace latentd {

/// Whether scipy.stats.beta.ppf(0.5, a, a) times 999 rounds to 499, for a = 0.01, 0.02 … 50: bits, highest
/// first, in hexadecimal digits. The middle falls between two of a model's timesteps, and the error of
/// scipy's last bits decides (tools/reference/beta_middle.py).
inline constexpr std::string_view kMiddleFallsBelow =
    "000b80003522c0aea00049500c65f03015de995986a4a6bfaa7fe0c3458b862ccb0577a1428d2655cdb060d07e234790"
    "9e88a838454a82d4f0a503fa974bec5483565d42a248001881742af56452085908848f1c0b896ba51480343b4c07402b"
    "fc25daaed99ea95fb124814ea58187922406c22154ae02a1e04c0c040cca3a1b254000104589212646c9137fc208b1a7"
    "0cc9f32665d891117ce0cf972665891806ed8911a2cc089982088999372350c3b22c08898024c90c092247cc7b6386ca"
    "9b22481c99b22688908d0478f0f01841455e700fab1e4a66f7e2860511b78d05708791618ae457a6cd81478d35248833"
    "7941508968f8d4ba918b6156f20183608a7dc342ec00e022c8a64e57a38280780d1bc04af55a176430756463899c8e07"
    "8a3f8b0ad0ee38bc04ec5c58526af8185d862edea0783105474d68c574c080bd930bc7ee1c11db372e05ec5a0b696941"
    "6427b8d00bd15d490cad9630db4a4a49e13407d0d843586d0064a780c292c90f4d6caf849610d2200f21bc36b0d24278"
    "492761a09eba834a5f692d2886d01b980b8911c5546a3e6b692ce2918804d1004644081c417645e80aedfe4196a68d35"
    "1e03fca363a1add3083dc7395ae342b88e9620ae23afe437624c7da69b29ef0033f4430de38ce52e90b0326633144a8a"
    "622685a9dab795a134d6d85800b21e8f38df5facef900c38e3c40053890558720c09210005a00a6b9880002c80121904"
    "d872c05078001c44104d8321002ac2069a4537a8003718f562c38c03290092065aab02d720c74070e03c2a51d847c3a4"
    "d10297718f86174c032c40ca3d20409c7ad80c4c80fd40064cf7b09f1875b1ec6cb20601c489290836360866ff06bbc6"
    "af";

/// The median of the beta distribution with both parameters `a`: one half, or next to it where scipy falls
/// below.
inline double BetaMiddle(double a) {
  const double place = std::nearbyint(a * 100);
  if (std::abs(a * 100 - place) > 1e-9 || place < 1 || place > 4 * kMiddleFallsBelow.size()) return 0.5;
  const size_t bit = static_cast<size_t>(place) - 1;
  const char digit = kMiddleFallsBelow[bit / 4];
  const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
  return (value >> (3 - bit % 4) & 1) == 1 ? std::nextafter(0.5, 0.0) : std::nextafter(0.5, 1.0);
}

}  // namespace latentd
