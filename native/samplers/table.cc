#include "samplers/table.h"

#include <algorithm>
#include <array>

namespace latentd {

// One straight-line function each, in the files named after them. A new sampler is its function there, and
// its declaration and row here.
SamplerTask Euler(Sampling& s);
SamplerTask EulerAncestral(Sampling& s);
SamplerTask EulerCfgPp(Sampling& s);
SamplerTask EulerAncestralCfgPp(Sampling& s);
SamplerTask Heun(Sampling& s);
SamplerTask HeunPp2(Sampling& s);
SamplerTask ExpHeun2X0(Sampling& s);
SamplerTask ExpHeun2X0Sde(Sampling& s);
SamplerTask Dpm2(Sampling& s);
SamplerTask Dpm2Ancestral(Sampling& s);
SamplerTask Lms(Sampling& s);
SamplerTask DpmFast(Sampling& s);
SamplerTask DpmAdaptive(Sampling& s);
SamplerTask DpmPp2SAncestral(Sampling& s);
SamplerTask DpmPp2SAncestralCfgPp(Sampling& s);
SamplerTask DpmPpSde(Sampling& s);
SamplerTask DpmPp2M(Sampling& s);
SamplerTask DpmPp2MCfgPp(Sampling& s);
SamplerTask DpmPp2MSde(Sampling& s);
SamplerTask DpmPp2MSdeHeun(Sampling& s);
SamplerTask DpmPp3MSde(Sampling& s);
SamplerTask Ddpm(Sampling& s);
SamplerTask Lcm(Sampling& s);
SamplerTask Ipndm(Sampling& s);
SamplerTask IpndmV(Sampling& s);
SamplerTask Deis(Sampling& s);
SamplerTask ResMultistep(Sampling& s);
SamplerTask ResMultistepCfgPp(Sampling& s);
SamplerTask ResMultistepAncestral(Sampling& s);
SamplerTask ResMultistepAncestralCfgPp(Sampling& s);
SamplerTask GradientEstimation(Sampling& s);
SamplerTask GradientEstimationCfgPp(Sampling& s);
SamplerTask ErSde(Sampling& s);
SamplerTask Seeds2(Sampling& s);
SamplerTask Seeds3(Sampling& s);
SamplerTask SaSolver(Sampling& s);
SamplerTask SaSolverPece(Sampling& s);
SamplerTask UniPc(Sampling& s);
SamplerTask UniPcBh2(Sampling& s);

namespace {

using Names = std::string_view;

constexpr Names kChurn[] = {"s_churn", "s_tmin", "s_tmax", "s_noise"};
constexpr Names kCfgPp[] = {"version"};
constexpr Names kAncestral[] = {"eta", "s_noise"};
constexpr Names kNoiseScale[] = {"s_noise"};
constexpr Names kSde[] = {"eta", "s_noise", "r"};
constexpr Names kMultistepSde[] = {"eta", "s_noise", "solver_type"};
constexpr Names kLms[] = {"order"};
constexpr Names kAdaptive[] = {"order",  "rtol",   "atol",          "h_init", "pcoeff",
                               "icoeff", "dcoeff", "accept_safety", "eta",    "s_noise"};
constexpr Names kGradient[] = {"ge_gamma"};
constexpr Names kErSde[] = {"solver_type", "max_stage", "eta", "s_noise"};
constexpr Names kLcm[] = {"s_noise", "s_noise_end", "noise_clip_std"};
constexpr Names kExpHeun[] = {"solver_type"};
constexpr Names kExpHeunSde[] = {"eta", "s_noise", "solver_type"};
constexpr Names kSeeds2[] = {"eta", "s_noise", "r", "solver_type"};
constexpr Names kSeeds3[] = {"eta", "s_noise", "r_1", "r_2"};
constexpr Names kSaSolver[] = {"eta",      "sde_start_sigma", "sde_end_sigma",
                               "s_noise",  "predictor_order", "corrector_order",
                               "use_pece", "simple_order_2"};

constexpr auto kSequential = SamplerNoise::kSequential;
constexpr auto kBrownian = SamplerNoise::kBrownian;
constexpr auto kOnDevice = SamplerNoise::kBrownianOnDevice;

constexpr auto kTable = std::to_array<Sampler>({
    {.name = "euler", .function = Euler, .options = kChurn},
    {.name = "euler_cfg_pp", .function = EulerCfgPp, .options = kCfgPp, .needs_uncond = true},
    {.name = "euler_ancestral", .function = EulerAncestral, .noise = kSequential, .options = kAncestral},
    {.name = "euler_ancestral_cfg_pp",
     .function = EulerAncestralCfgPp,
     .noise = kSequential,
     .options = kAncestral,
     .needs_uncond = true},
    {.name = "heun", .function = Heun, .options = kChurn},
    {.name = "heunpp2", .function = HeunPp2, .options = kChurn},
    {.name = "exp_heun_2_x0", .function = ExpHeun2X0, .options = kExpHeun, .offsets_first = true},
    {.name = "exp_heun_2_x0_sde",
     .function = ExpHeun2X0Sde,
     .noise = kSequential,
     .options = kExpHeunSde,
     .offsets_first = true},
    {.name = "dpm_2", .function = Dpm2, .options = kChurn, .discards_penultimate = true},
    {.name = "dpm_2_ancestral",
     .function = Dpm2Ancestral,
     .noise = kSequential,
     .options = kAncestral,
     .discards_penultimate = true},
    {.name = "lms", .function = Lms, .options = kLms},
    {.name = "dpm_fast", .function = DpmFast},
    {.name = "dpm_adaptive", .function = DpmAdaptive, .noise = kSequential, .options = kAdaptive},
    {.name = "dpmpp_2s_ancestral", .function = DpmPp2SAncestral, .noise = kSequential, .options = kAncestral},
    {.name = "dpmpp_2s_ancestral_cfg_pp",
     .function = DpmPp2SAncestralCfgPp,
     .noise = kSequential,
     .options = kAncestral,
     .needs_uncond = true},
    {.name = "dpmpp_sde", .function = DpmPpSde, .noise = kBrownian, .options = kSde, .offsets_first = true},
    {.name = "dpmpp_sde_gpu",
     .function = DpmPpSde,
     .noise = kOnDevice,
     .options = kSde,
     .offsets_first = true},
    {.name = "dpmpp_2m", .function = DpmPp2M},
    {.name = "dpmpp_2m_cfg_pp", .function = DpmPp2MCfgPp, .needs_uncond = true},
    {.name = "dpmpp_2m_sde",
     .function = DpmPp2MSde,
     .noise = kBrownian,
     .options = kMultistepSde,
     .offsets_first = true},
    {.name = "dpmpp_2m_sde_gpu",
     .function = DpmPp2MSde,
     .noise = kOnDevice,
     .options = kMultistepSde,
     .offsets_first = true},
    {.name = "dpmpp_2m_sde_heun",
     .function = DpmPp2MSdeHeun,
     .noise = kBrownian,
     .options = kMultistepSde,
     .offsets_first = true},
    {.name = "dpmpp_2m_sde_heun_gpu",
     .function = DpmPp2MSdeHeun,
     .noise = kOnDevice,
     .options = kMultistepSde,
     .offsets_first = true},
    {.name = "dpmpp_3m_sde",
     .function = DpmPp3MSde,
     .noise = kBrownian,
     .options = kAncestral,
     .offsets_first = true},
    {.name = "dpmpp_3m_sde_gpu",
     .function = DpmPp3MSde,
     .noise = kOnDevice,
     .options = kAncestral,
     .offsets_first = true},
    {.name = "ddpm", .function = Ddpm, .noise = kSequential},
    {.name = "lcm", .function = Lcm, .noise = kSequential, .options = kLcm},
    {.name = "ipndm", .function = Ipndm},
    {.name = "ipndm_v", .function = IpndmV},
    {.name = "deis", .function = Deis},
    {.name = "res_multistep", .function = ResMultistep, .options = kNoiseScale},
    {.name = "res_multistep_cfg_pp",
     .function = ResMultistepCfgPp,
     .options = kNoiseScale,
     .needs_uncond = true},
    {.name = "res_multistep_ancestral",
     .function = ResMultistepAncestral,
     .noise = kSequential,
     .options = kAncestral},
    {.name = "res_multistep_ancestral_cfg_pp",
     .function = ResMultistepAncestralCfgPp,
     .noise = kSequential,
     .options = kAncestral,
     .needs_uncond = true},
    {.name = "gradient_estimation", .function = GradientEstimation, .options = kGradient},
    {.name = "gradient_estimation_cfg_pp",
     .function = GradientEstimationCfgPp,
     .options = kGradient,
     .needs_uncond = true},
    {.name = "er_sde", .function = ErSde, .noise = kSequential, .options = kErSde, .offsets_first = true},
    {.name = "seeds_2", .function = Seeds2, .noise = kSequential, .options = kSeeds2, .offsets_first = true},
    {.name = "seeds_3", .function = Seeds3, .noise = kSequential, .options = kSeeds3, .offsets_first = true},
    {.name = "sa_solver",
     .function = SaSolver,
     .noise = kSequential,
     .options = kSaSolver,
     .offsets_first = true},
    {.name = "sa_solver_pece",
     .function = SaSolverPece,
     .noise = kSequential,
     .options = kSaSolver,
     .offsets_first = true},
    {.name = "ddim", .function = Euler, .options = kChurn, .random_inpaint_noise = true},
    {.name = "uni_pc", .function = UniPc, .discards_penultimate = true},
    {.name = "uni_pc_bh2", .function = UniPcBh2, .discards_penultimate = true},
});

}  // namespace

std::span<const Sampler> Samplers() { return kTable; }

const Sampler* FindSampler(std::string_view name) {
  const auto found = std::find_if(kTable.begin(), kTable.end(),
                                  [name](const Sampler& sampler) { return sampler.name == name; });
  return found == kTable.end() ? nullptr : &*found;
}

}  // namespace latentd
