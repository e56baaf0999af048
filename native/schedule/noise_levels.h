// What a model's training fixed about noise: which sigma belongs to which timestep.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "schedule/timestep_ties.h"

namespace latentd {

/// ComfyUI's `model_sampling` (comfy/model_sampling.py). Arithmetic is float32 where torch's is; the table is
/// in rising order.
class NoiseLevels {
 public:
  virtual ~NoiseLevels() = default;

  std::span<const float> sigmas() const { return sigmas_; }
  float sigma_min() const { return sigmas_.front(); }
  float sigma_max() const { return sigmas_.back(); }

  virtual float Timestep(float sigma) const = 0;
  virtual float Sigma(float timestep) const = 0;

  /// The sigma at a share of the way from the noisiest timestep (0) to the cleanest (1); `StartSigma` at the
  /// start and 0 at the end, so that comparisons there always hold.
  double PercentToSigma(double percent) const;

 protected:
  explicit NoiseLevels(std::vector<float> sigmas) : sigmas_(std::move(sigmas)) {}

  virtual double SigmaAt(double remaining) const = 0;
  virtual double StartSigma() const { return 999999999.9; }

 private:
  std::vector<float> sigmas_;
};

/// Where torch's logarithms aren't the nearest float32.
struct LastBits {
  std::span<const TimestepTie> ties = {};
  std::span<const LogSigma> logs = {};
};

struct BetaSchedule {
  double linear_start = 0.00085;
  double linear_end = 0.012;
  size_t timesteps = 1000;
  /// Rescaled so that the last timestep is pure noise.
  bool zero_terminal_snr = false;
};

/// `ModelSamplingDiscrete`: a trained table, between whose entries the logarithm is interpolated.
class DiscreteLevels : public NoiseLevels {
 public:
  explicit DiscreteLevels(const BetaSchedule& schedule);

  float Timestep(float sigma) const override;
  float Sigma(float timestep) const override;

 protected:
  /// `sigmas` are every `stride`-th of a trained table's, its last among them.
  DiscreteLevels(std::vector<double> sigmas, size_t stride, LastBits bits);
  double SigmaAt(double remaining) const override;

 private:
  std::vector<float> log_sigmas_;
  size_t stride_;
  std::span<const TimestepTie> ties_;
};

/// `ModelSamplingDiscreteDistilled` (comfy_extras/nodes_model_advanced.py): the 50 timesteps that LCM was
/// distilled on.
class DistilledLevels : public DiscreteLevels {
 public:
  explicit DistilledLevels(const BetaSchedule& schedule);
};

/// `ModelSamplingContinuousEDM`: timestep log(sigma)/4.
class ContinuousEdmLevels : public NoiseLevels {
 public:
  ContinuousEdmLevels(double sigma_min, double sigma_max);

  float Timestep(float sigma) const override;
  float Sigma(float timestep) const override;

 protected:
  double SigmaAt(double remaining) const override;
};

/// `ModelSamplingContinuousV`: timestep 2·atan(sigma)/π.
class ContinuousVLevels : public ContinuousEdmLevels {
 public:
  using ContinuousEdmLevels::ContinuousEdmLevels;

  float Timestep(float sigma) const override;
  float Sigma(float timestep) const override;
};

/// `ModelSamplingCosmosRFlow`: timestep sigma/(sigma + 1).
class CosmosFlowLevels : public ContinuousEdmLevels {
 public:
  using ContinuousEdmLevels::ContinuousEdmLevels;

  float Timestep(float sigma) const override;
  float Sigma(float timestep) const override;
};

/// `ModelSamplingDiscreteFlow`: a rectified flow's 1000 times, shifted towards noise as Esser et al.,
/// "Scaling Rectified Flow Transformers", 2024, equation 23; the network is told sigma · multiplier.
class FlowLevels : public NoiseLevels {
 public:
  FlowLevels(double shift, double multiplier);

  float Timestep(float sigma) const override { return sigma * multiplier_; }
  float Sigma(float timestep) const override;

 protected:
  double SigmaAt(double remaining) const override;
  double StartSigma() const override { return 1; }

 private:
  double shift_;
  float multiplier_;
};

/// `ModelSamplingFlux`: 10,000 times of a flow, shifted by e^mu.
class FluxLevels : public NoiseLevels {
 public:
  explicit FluxLevels(double mu);

  float Timestep(float sigma) const override { return sigma; }
  float Sigma(float timestep) const override;

 protected:
  double SigmaAt(double remaining) const override;
  double StartSigma() const override { return 1; }

 private:
  double exponential_;
};

}  // namespace latentd
