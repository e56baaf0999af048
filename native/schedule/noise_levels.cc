#include "schedule/noise_levels.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "schedule/linspace.h"
#include "schedule/torch_float.h"

namespace latentd {
namespace {

/// `rescale_zero_terminal_snr_sigmas`, after Lin et al., "Common Diffusion Noise Schedules and Sample Steps
/// are Flawed", 2023.
void RescaleToZeroTerminalSnr(std::vector<double>& sigmas) {
  std::vector<double> alpha_bar_sqrt(sigmas.size());
  std::transform(sigmas.begin(), sigmas.end(), alpha_bar_sqrt.begin(),
                 [](double sigma) { return std::sqrt(1 / (sigma * sigma + 1)); });
  const double first = alpha_bar_sqrt.front();
  const double last = alpha_bar_sqrt.back();
  const double scale = first / (first - last);
  for (double& value : alpha_bar_sqrt) value = (value - last) * scale;
  for (size_t i = 0; i < sigmas.size(); ++i) {
    double alpha_bar = alpha_bar_sqrt[i] * alpha_bar_sqrt[i];
    // ComfyUI keeps a last sigma of about 4519 in place of infinity.
    if (i + 1 == sigmas.size()) alpha_bar = 4.8973451890853435e-08;
    sigmas[i] = std::sqrt((1 - alpha_bar) / alpha_bar);
  }
}

std::vector<double> TrainedSigmas(const BetaSchedule& schedule) {
  std::vector<double> sigmas =
      Linspace(std::sqrt(schedule.linear_start), std::sqrt(schedule.linear_end), schedule.timesteps);
  double alpha_bar = 1;
  for (double& sigma : sigmas) {
    const double beta = sigma * sigma;
    alpha_bar *= 1.0 - beta;
    sigma = std::sqrt((1 - alpha_bar) / alpha_bar);
  }
  if (schedule.zero_terminal_snr) RescaleToZeroTerminalSnr(sigmas);
  return sigmas;
}

constexpr size_t kDistilledTimesteps = 50;

size_t DistilledStride(const BetaSchedule& schedule) { return schedule.timesteps / kDistilledTimesteps; }

std::vector<double> DistilledSigmas(const BetaSchedule& schedule) {
  const std::vector<double> trained = TrainedSigmas(schedule);
  std::vector<double> kept(kDistilledTimesteps);
  for (size_t i = 0; i < kept.size(); ++i) {
    const double sigma = trained[trained.size() - 1 - i * DistilledStride(schedule)];
    // ComfyUI takes them from the float32 table.
    kept[kept.size() - 1 - i] = static_cast<float>(sigma);
  }
  return kept;
}

/// The one schedule whose last bits are known: that of SD 1.x, 2.x and SDXL.
bool IsStableDiffusions(const BetaSchedule& schedule) {
  const BetaSchedule known;
  return schedule.linear_start == known.linear_start && schedule.linear_end == known.linear_end &&
         schedule.timesteps == known.timesteps;
}

LastBits DiscreteBits(const BetaSchedule& schedule) {
  if (!IsStableDiffusions(schedule)) return {};
  if (schedule.zero_terminal_snr) return {.ties = kDiscreteZeroSnrTies};
  return {.ties = kDiscreteTies};
}

LastBits DistilledBits(const BetaSchedule& schedule) {
  if (!IsStableDiffusions(schedule)) return {};
  if (schedule.zero_terminal_snr) return {.ties = kDistilledZeroSnrTies, .logs = kDistilledZeroSnrLogs};
  return {.ties = kDistilledTies, .logs = kDistilledLogs};
}

std::vector<float> Narrow(const std::vector<double>& values) { return {values.begin(), values.end()}; }

std::vector<float> ContinuousTable(double sigma_min, double sigma_max) {
  std::vector<float> sigmas =
      Linspace(static_cast<float>(std::log(sigma_min)), static_cast<float>(std::log(sigma_max)), 1000);
  for (float& sigma : sigmas) sigma = std::exp(sigma);
  return sigmas;
}

/// comfy/model_sampling.py, time_snr_shift, of a float32 tensor.
float ShiftedTime(double shift, float time) {
  if (shift == 1) return time;
  return static_cast<float>(shift) * time / (1 + static_cast<float>(shift - 1) * time);
}

/// comfy/model_sampling.py, flux_time_shift; torch divides a number by a tensor as number · (1 / tensor).
float FluxShiftedTime(double exponential, float time) {
  const float scale = static_cast<float>(exponential);
  return 1 / (scale + (1 / time - 1)) * scale;
}

constexpr int kFlowTimes = 1000;
constexpr int kFluxTimes = 10'000;

template <typename Shifted>
std::vector<float> ShiftedTimes(int count, const Shifted& shifted) {
  std::vector<float> sigmas(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    sigmas[static_cast<size_t>(i)] = shifted(static_cast<float>(i + 1) / static_cast<float>(count));
  }
  return sigmas;
}

}  // namespace

double NoiseLevels::PercentToSigma(double percent) const {
  if (percent <= 0.0) return StartSigma();
  if (percent >= 1.0) return 0.0;
  return SigmaAt(1.0 - percent);
}

DiscreteLevels::DiscreteLevels(std::vector<double> sigmas, size_t stride, LastBits bits)
    : NoiseLevels(Narrow(sigmas)), log_sigmas_(sigmas.size()), stride_(stride), ties_(bits.ties) {
  std::transform(sigmas.begin(), sigmas.end(), log_sigmas_.begin(),
                 [](double sigma) { return static_cast<float>(std::log(sigma)); });
  for (const auto& [index, value] : bits.logs) log_sigmas_[index] = value;
}

DiscreteLevels::DiscreteLevels(const BetaSchedule& schedule)
    : DiscreteLevels(TrainedSigmas(schedule), 1, DiscreteBits(schedule)) {}

float DiscreteLevels::Timestep(float sigma) const {
  for (const TimestepTie& tie : ties_) {
    if (tie.sigma == sigma) return static_cast<float>(tie.timestep);
  }
  const float log_sigma = Log(sigma);
  size_t nearest = 0;
  for (size_t i = 1; i < log_sigmas_.size(); ++i) {
    if (std::abs(log_sigma - log_sigmas_[i]) < std::abs(log_sigma - log_sigmas_[nearest])) nearest = i;
  }
  return static_cast<float>(nearest * stride_ + (stride_ - 1));
}

float DiscreteLevels::Sigma(float timestep) const {
  const float last = static_cast<float>(log_sigmas_.size() - 1);
  const float stride = static_cast<float>(stride_);
  const float t = std::clamp((timestep - (stride - 1)) / stride, 0.0f, last);
  const float below = std::floor(t);
  const float w = t - below;
  const float log_sigma =
      (1 - w) * log_sigmas_[static_cast<size_t>(below)] + w * log_sigmas_[static_cast<size_t>(std::ceil(t))];
  return std::exp(log_sigma);
}

double DiscreteLevels::SigmaAt(double remaining) const {
  return Sigma(static_cast<float>(remaining * 999.0));
}

DistilledLevels::DistilledLevels(const BetaSchedule& schedule)
    : DiscreteLevels(DistilledSigmas(schedule), DistilledStride(schedule), DistilledBits(schedule)) {}

ContinuousEdmLevels::ContinuousEdmLevels(double sigma_min, double sigma_max)
    : NoiseLevels(ContinuousTable(sigma_min, sigma_max)) {}

float ContinuousEdmLevels::Timestep(float sigma) const { return 0.25f * Log(sigma); }

float ContinuousEdmLevels::Sigma(float timestep) const { return std::exp(timestep / 0.25f); }

double ContinuousEdmLevels::SigmaAt(double remaining) const {
  const double log_min = std::log(static_cast<double>(sigma_min()));
  const double log_max = std::log(static_cast<double>(sigma_max()));
  return std::exp((log_max - log_min) * remaining + log_min);
}

float ContinuousVLevels::Timestep(float sigma) const {
  return Atan(sigma) / std::numbers::pi_v<float> * 2.0f;
}

float ContinuousVLevels::Sigma(float timestep) const {
  return Tan(timestep * std::numbers::pi_v<float> / 2.0f);
}

float CosmosFlowLevels::Timestep(float sigma) const { return sigma / (sigma + 1); }

float CosmosFlowLevels::Sigma(float timestep) const {
  if (timestep >= Timestep(sigma_max())) return sigma_max();
  return timestep / (1 - timestep);
}

FlowLevels::FlowLevels(double shift, double multiplier)
    : NoiseLevels(ShiftedTimes(kFlowTimes,
                               [&](float time) {
                                 const float scale = static_cast<float>(multiplier);
                                 return ShiftedTime(shift, time * scale / scale);
                               })),
      shift_(shift),
      multiplier_(static_cast<float>(multiplier)) {}

float FlowLevels::Sigma(float timestep) const { return ShiftedTime(shift_, timestep / multiplier_); }

double FlowLevels::SigmaAt(double remaining) const {
  return shift_ == 1 ? remaining : shift_ * remaining / (1 + (shift_ - 1) * remaining);
}

FluxLevels::FluxLevels(double mu)
    : NoiseLevels(ShiftedTimes(kFluxTimes, [&](float time) { return FluxShiftedTime(std::exp(mu), time); })),
      exponential_(std::exp(mu)) {}

float FluxLevels::Sigma(float timestep) const { return FluxShiftedTime(exponential_, timestep); }

double FluxLevels::SigmaAt(double remaining) const {
  return exponential_ / (exponential_ + (1 / remaining - 1));
}

}  // namespace latentd
