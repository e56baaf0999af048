#include "schedule/levels_argument.h"

#include <cmath>
#include <string>

#include "arguments.h"

namespace latentd {
namespace {

/// Beyond it e^mu leaves float32.
constexpr double kMostMu = 80;

}  // namespace

std::unique_ptr<NoiseLevels> MakeLevels(const Napi::Array& description) {
  const auto at = [&description](uint32_t index) -> Napi::Value { return description.Get(index); };
  const std::string kind = RequireString(at(0), "kind");
  if (kind == "discrete" || kind == "distilled") {
    BetaSchedule schedule;
    schedule.linear_start = RequirePositive(at(1), "linearStart");
    schedule.linear_end = RequirePositive(at(2), "linearEnd");
    schedule.zero_terminal_snr = at(3).ToBoolean().Value();
    if (schedule.linear_start >= 1 || schedule.linear_end >= 1) {
      throw Napi::RangeError::New(description.Env(), "linearStart and linearEnd must be below 1");
    }
    if (kind == "distilled") return std::make_unique<DistilledLevels>(schedule);
    return std::make_unique<DiscreteLevels>(schedule);
  }
  if (kind == "flow") {
    return std::make_unique<FlowLevels>(RequirePositive(at(1), "shift"),
                                        RequirePositive(at(2), "multiplier"));
  }
  if (kind == "flux") {
    const double mu = RequireNumber(at(1), "mu");
    if (!(std::abs(mu) <= kMostMu)) throw Napi::RangeError::New(description.Env(), "mu is out of range");
    return std::make_unique<FluxLevels>(mu);
  }
  const double sigma_min = RequirePositive(at(1), "sigmaMin");
  const double sigma_max = RequirePositive(at(2), "sigmaMax");
  if (kind == "continuous_edm") return std::make_unique<ContinuousEdmLevels>(sigma_min, sigma_max);
  if (kind == "continuous_v") return std::make_unique<ContinuousVLevels>(sigma_min, sigma_max);
  if (kind == "cosmos_rflow") return std::make_unique<CosmosFlowLevels>(sigma_min, sigma_max);
  throw Napi::RangeError::New(
      description.Env(),
      "kind must be discrete, distilled, continuous_edm, continuous_v, cosmos_rflow, flow or flux, got " +
          kind);
}

std::unique_ptr<NoiseLevels> RequireLevels(const Napi::Value& value, const char* name) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kNoiseLevelsTag)) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be NoiseLevels");
  }
  return MakeLevels(value.As<Napi::Object>().Get("description").As<Napi::Array>());
}

}  // namespace latentd
