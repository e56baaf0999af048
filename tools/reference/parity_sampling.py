"""Cases of `parity.py`: sampling put together out of parts, few steps of every sampler, models told what they predict."""
import comfy.samplers

POSITIVE = "pixel art character sprite, 16bit game art style, clean background"
NEGATIVE = "blurry, low quality"


class Chain:
    """SamplerCustomAdvanced and SamplerCustom with parts that default to everyday ones."""

    def __init__(self, graph):
        self.graph = graph
        self.positive, self.negative = graph.text(POSITIVE), graph.text(NEGATIVE)

    def add(self, class_type, **inputs):
        return [self.graph.add(class_type, **inputs), 0]

    def basic(self, model=None, scheduler="karras", steps=5, denoise=1.0):
        return self.add("BasicScheduler", model=model or self.graph.model, scheduler=scheduler, steps=steps, denoise=denoise)

    def select(self, name):
        return self.add("KSamplerSelect", sampler_name=name)

    def cfg(self, model=None, cfg=6.0):
        return self.add("CFGGuider", model=model or self.graph.model, positive=self.positive, negative=self.negative, cfg=cfg)

    def custom(self, sigmas, sampler=None, model=None, latent=None, **settings):
        values = dict(add_noise=True, noise_seed=11, cfg=6.0)
        values.update(settings)
        node = self.graph.add("SamplerCustom", model=model or self.graph.model, positive=self.positive, negative=self.negative,
                              sampler=sampler or self.select("euler"), sigmas=sigmas, latent_image=latent or self.graph.empty(), **values)
        return [node, 0], [node, 1]

    def advanced(self, sigmas=None, sampler=None, guider=None, noise=None, latent=None):
        node = self.graph.add("SamplerCustomAdvanced", noise=noise or self.add("RandomNoise", noise_seed=2**63 + 9), guider=guider or self.cfg(),
                              sampler=sampler or self.select("euler"), sigmas=sigmas or self.basic(), latent_image=latent or self.graph.empty())
        return [node, 0], [node, 1]


SIGMAS = dict(sigma_max=14.614642, sigma_min=0.0291675)
SCHEDULERS = {
    "karras": ("KarrasScheduler", dict(steps=5, rho=7.0, **SIGMAS)),
    "karras.low": ("KarrasScheduler", dict(steps=4, rho=3.3, sigma_max=5.0, sigma_min=0.2)),
    "exponential": ("ExponentialScheduler", dict(steps=5, **SIGMAS)),
    "polyexponential": ("PolyexponentialScheduler", dict(steps=5, rho=1.4, **SIGMAS)),
    "laplace": ("LaplaceScheduler", dict(steps=6, mu=0.0, beta=0.5, **SIGMAS)),
    "vp": ("VPScheduler", dict(steps=5, beta_d=19.9, beta_min=0.1, eps_s=0.001)),
    "manual": ("ManualSigmas", dict(sigmas="14.6, 5,1.5; +.4 0")),
    "ays.10": ("AlignYourStepsScheduler", dict(model_type="SD1", steps=10, denoise=1.0)),
    "ays.6": ("AlignYourStepsScheduler", dict(model_type="SDXL", steps=6, denoise=0.7)),
    "ays.svd": ("AlignYourStepsScheduler", dict(model_type="SVD", steps=3, denoise=1.0)),
}
MODEL_SCHEDULERS = {
    "beta": ("BetaSamplingScheduler", dict(steps=6, alpha=0.4, beta=0.8)),
    "turbo": ("SDTurboScheduler", dict(steps=3, denoise=1.0)),
    "turbo.half": ("SDTurboScheduler", dict(steps=9, denoise=0.5)),
}
NOISY = dict(eta=0.8, s_noise=1.05)
SAMPLERS = {
    "euler_ancestral": ("SamplerEulerAncestral", NOISY),
    "euler_ancestral_cfg_pp": ("SamplerEulerAncestralCFGPP", NOISY),
    "lms": ("SamplerLMS", dict(order=3)),
    "lms.1": ("SamplerLMS", dict(order=1)),
    "3m": ("SamplerDPMPP_3M_SDE", dict(noise_device="cpu", **NOISY)),
    "3m.gpu": ("SamplerDPMPP_3M_SDE", dict(noise_device="gpu", eta=0.0, s_noise=1.0)),
    "2m.heun": ("SamplerDPMPP_2M_SDE", dict(solver_type="heun", noise_device="cpu", **NOISY)),
    "2m.midpoint": ("SamplerDPMPP_2M_SDE", dict(solver_type="midpoint", noise_device="gpu", **NOISY)),
    "sde": ("SamplerDPMPP_SDE", dict(r=0.4, noise_device="cpu", **NOISY)),
    "2s": ("SamplerDPMPP_2S_Ancestral", NOISY),
    "adaptive": ("SamplerDPMAdaptative", dict(order=3, rtol=0.05, atol=0.0078, h_init=0.05, pcoeff=0.0, icoeff=1.0, dcoeff=0.0, accept_safety=0.81, eta=0.0, s_noise=1.0)),
    "adaptive.2": ("SamplerDPMAdaptative", dict(order=2, rtol=0.1, atol=0.01, h_init=0.1, pcoeff=0.1, icoeff=0.9, dcoeff=0.05, accept_safety=0.8, eta=0.5, s_noise=1.0)),
    "seeds2": ("SamplerSEEDS2", dict(solver_type="phi_2", r=0.7, **NOISY)),
    "lcm": ("SamplerLCM", dict(s_noise=0.9, s_noise_end=1.1, noise_clip_std=2.5)),
    "er": ("SamplerER_SDE", dict(solver_type="ER-SDE", max_stage=3, **NOISY)),
    "er.reverse": ("SamplerER_SDE", dict(solver_type="Reverse-time SDE", max_stage=2, **NOISY)),
    "er.ode": ("SamplerER_SDE", dict(solver_type="ODE", max_stage=3, **NOISY)),
}
SA = {
    "sa": dict(eta=1.0, sde_start_percent=0.2, sde_end_percent=0.8, s_noise=1.0, predictor_order=3, corrector_order=4, use_pece=False, simple_order_2=False),
    "sa.pece": dict(eta=0.6, sde_start_percent=0.1, sde_end_percent=0.9, s_noise=1.1, predictor_order=2, corrector_order=2, use_pece=True, simple_order_2=True),
    "sa.1": dict(eta=0.0, sde_start_percent=0.0, sde_end_percent=1.0, s_noise=1.0, predictor_order=1, corrector_order=0, use_pece=False, simple_order_2=False),
}


def chains(make, name):
    def chain():
        return Chain(make())

    def saved(label, c, outputs):
        return name(f"custom.{label}"), c.graph.save(*outputs)

    for label, (node, inputs) in SCHEDULERS.items():
        c = chain(); yield saved(f"scheduler.{label}", c, c.custom(c.add(node, **inputs)))
    for label, (node, inputs) in MODEL_SCHEDULERS.items():
        c = chain(); yield saved(f"scheduler.{label}", c, c.custom(c.add(node, model=c.graph.model, **inputs), c.select("euler_ancestral")))
    for scheduler in comfy.samplers.SCHEDULER_NAMES:
        c = chain(); yield saved(f"basic.{scheduler}", c, c.custom(c.basic(scheduler=scheduler, denoise=0.7), c.select("dpmpp_2m")))
    for sampler in comfy.samplers.SAMPLER_NAMES:
        c = chain(); yield saved(f"select.{sampler}", c, c.advanced(sampler=c.select(sampler)))
    for label, (node, inputs) in SAMPLERS.items():
        # Steps that follow their own error fall to either side of a timestep here and there; this size happens to have none.
        size = (128, 64) if node == "SamplerDPMAdaptative" else (72, 104, 2)
        c = chain(); yield saved(f"sampler.{label}", c, c.advanced(sampler=c.add(node, **inputs), latent=c.graph.empty(*size)))
    for label, inputs in SA.items():
        c = chain(); yield saved(f"sampler.{label}", c, c.advanced(c.basic(steps=8), c.add("SamplerSASolver", model=c.graph.model, **inputs)))
    for sampler in ("euler", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "dpmpp_3m_sde", "sa_solver"):
        c = chain()
        split = c.add("SplitSigmas", sigmas=c.basic(steps=8), step=4)
        high, denoised = c.advanced(split, c.select(sampler))
        low, last = c.advanced([split[0], 1], c.select(sampler), noise=c.add("DisableNoise"), latent=high)
        yield saved(f"split.{sampler}", c, (high, denoised, low, last))
    c = chain()
    split = c.add("SplitSigmasDenoise", sigmas=c.basic(steps=7, scheduler="normal"), denoise=0.5)
    yield saved("split.denoise", c, c.custom([split[0], 1], latent=c.graph.encode()))
    c = chain()
    # Not from FlipSigmas' 0.0001, by which rounding is divided, nor back again: ComfyUI differs from itself by 2e-5 there.
    flipped = c.add("SetFirstSigma", sigmas=c.add("FlipSigmas", sigmas=c.basic(steps=6, scheduler="normal")), sigma=1.0)
    yield saved("flip", c, c.custom(flipped, latent=c.graph.encode(), add_noise=False, cfg=1.0))
    c = chain(); yield saved("first", c, c.custom(c.add("SetFirstSigma", sigmas=c.basic(), sigma=20.5)))
    for spacing in ("linear", "cosine", "sine"):
        c = chain()
        more = c.add("ExtendIntermediateSigmas", sigmas=c.basic(steps=3), steps=3, start_at_sigma=-1.0, end_at_sigma=1.0, spacing=spacing)
        yield saved(f"extend.{spacing}", c, c.custom(more))
    c = chain()
    empty = c.graph.text("")
    castle = c.graph.text("a castle on a hill")
    guiders = {
        "basic": ("BasicGuider", dict(conditioning=c.positive)),
        "cfg.1": ("CFGGuider", dict(positive=c.positive, negative=c.negative, cfg=1.0)),
        "dual": ("DualCFGGuider", dict(cond1=c.positive, cond2=castle, negative=c.negative, cfg_conds=5.0, cfg_cond2_negative=3.0, style="regular")),
        "dual.nested": ("DualCFGGuider", dict(cond1=c.positive, cond2=castle, negative=c.negative, cfg_conds=5.0, cfg_cond2_negative=3.0, style="nested")),
        "perp": ("PerpNegGuider", dict(positive=c.positive, negative=c.negative, empty_conditioning=empty, cfg=6.0, neg_scale=1.3)),
    }
    for label, (node, inputs) in guiders.items():
        g = make(); g.nodes = dict(c.graph.nodes)
        d = Chain.__new__(Chain); d.graph, d.positive, d.negative = g, c.positive, c.negative
        yield saved(f"guider.{label}", d, d.advanced(guider=d.add(node, model=g.model, **inputs), sampler=d.select("dpmpp_2m"), latent=g.empty(64, 96, 2)))
    c = chain()
    noised = c.add("AddNoise", model=c.graph.model, noise=c.add("RandomNoise", noise_seed=3), sigmas=c.basic(denoise=0.4), latent_image=c.graph.encode())
    yield saved("noise.add", c, (noised, *c.advanced(c.basic(denoise=0.4), noise=c.add("DisableNoise"), latent=noised)))
    c = chain()
    mask = c.add("LoadImageMask", image="parity.png", channel="alpha")
    masked = c.add("SetLatentNoiseMask", samples=c.graph.encode(), mask=mask)
    for sampler in ("ddim", "euler_ancestral"):
        g = make(); g.nodes = dict(c.graph.nodes)
        d = Chain.__new__(Chain); d.graph, d.positive, d.negative = g, c.positive, c.negative
        yield saved(f"masked.{sampler}", d, d.advanced(d.basic(denoise=0.8), d.select(sampler), latent=masked))
    c = chain()
    rows = c.add("LatentFromBatch", samples=c.graph.empty(64, 64, 5), batch_index=1, length=2)
    yield saved("rows", c, c.advanced(latent=rows))


def models(make, name):
    """Models that are told what they predict, and how they are guided."""
    kinds = [(f"discrete.{kind}{'.zsnr' if zsnr else ''}", "ModelSamplingDiscrete", dict(sampling=kind, zsnr=zsnr))
             for kind in ("eps", "v_prediction", "lcm", "x0", "img_to_img") for zsnr in (False, True)]
    kinds += [(f"edm.{kind}", "ModelSamplingContinuousEDM", dict(sampling=kind, sigma_max=80.0, sigma_min=0.01))
              for kind in ("v_prediction", "edm", "edm_playground_v2.5", "eps", "cosmos_rflow")]
    kinds += [("continuous.v", "ModelSamplingContinuousV", dict(sampling="v_prediction", sigma_max=500.0, sigma_min=0.03))]
    for label, node, inputs in kinds:
        for sampler, scheduler in (("euler", "normal"), ("dpmpp_2m_sde", "sgm_uniform"), ("lcm", "sgm_uniform"), ("uni_pc", "karras")):
            g = make()
            model = [g.add(node, model=g.model, **inputs), 0]
            yield name(f"model.{label}.{sampler}"), g.save(g.sample(model=model, sampler_name=sampler, scheduler=scheduler, cfg=2.0, steps=4))
    for sampler in ("euler", "dpmpp_2m", "ddim"):
        g = make()
        model = [g.add("ModelSamplingDiscrete", model=g.model, sampling="img_to_img_flow", zsnr=False), 0]
        yield name(f"model.discrete.img_to_img_flow.{sampler}"), g.save(g.sample(model=model, sampler_name=sampler, latent=g.encode(), steps=4))
    # Not with zsnr: RescaleCFG takes differences at the noise level 4519, and ComfyUI differs from itself by 8e-5.
    for multiplier, sampling in ((0.7, "v_prediction"), (1.0, "eps"), (0.3, "v_prediction")):
        g = make()
        model = [g.add("ModelSamplingDiscrete", model=g.model, sampling=sampling, zsnr=False), 0]
        model = [g.add("RescaleCFG", model=model, multiplier=multiplier), 0]
        yield name(f"model.rescale.{multiplier}"), g.save(g.sample(model=model, sampler_name="dpmpp_2m", latent=g.empty(64, 96, 2)))
    g = make()
    model = [g.add("PerpNeg", model=g.model, empty_conditioning=g.text(""), neg_scale=0.8), 0]
    yield name("model.perpneg"), g.save(g.sample(model=model))


def patches(make, name):
    """UNets that compute otherwise."""
    def patched(label, patch, size=(128, 128, 1), **settings):
        g = make()
        model = g.model
        for node, inputs in patch:
            model = [g.add(node, model=model, **inputs), 0]
        values = dict(sampler_name="euler_ancestral", steps=4, seed=21)
        values.update(settings)
        return name(f"patch.{label}"), g.save(g.sample(model=model, latent=g.empty(*size), **values))

    free = ("FreeU", dict(b1=1.1, b2=1.2, s1=0.9, s2=0.2))
    free2 = ("FreeU_V2", dict(b1=1.3, b2=1.4, s1=0.9, s2=0.2))
    for label, size in (("square", (128, 128, 1)), ("odd", (72, 104, 2)), ("wide", (256, 64, 1))):
        yield patched(f"freeu.{label}", [free], size)
        yield patched(f"freeu_v2.{label}", [free2], size)
    yield patched("freeu.tiny", [free], (64, 64, 1))
    yield patched("freeu.both", [free, free2], cfg=4.0)
    for label, size, options in (("default", (256, 256, 1), dict(tile_size=64, swap_size=2, max_depth=0, scale_depth=False)),
                                 ("drawn", (256, 256, 1), dict(tile_size=32, swap_size=4, max_depth=0, scale_depth=False)),
                                 ("wide", (384, 128, 2), dict(tile_size=32, swap_size=3, max_depth=1, scale_depth=False)),
                                 ("deep", (256, 256, 1), dict(tile_size=32, swap_size=3, max_depth=3, scale_depth=True)),
                                 ("odd", (200, 88, 1), dict(tile_size=32, swap_size=3, max_depth=2, scale_depth=False)),
                                 ("none", (64, 64, 1), dict(tile_size=256, swap_size=2, max_depth=0, scale_depth=False))):
        yield patched(f"hypertile.{label}", [("HyperTile", options)], size)
    for ratio in (0.3, 0.5, 0.9):
        yield patched(f"tome.{ratio}", [("TomePatchModel", dict(ratio=ratio))], (136, 104, 2))
    yield patched("tome.ddim", [("TomePatchModel", dict(ratio=0.5))], sampler_name="ddim")
    yield patched("hypertile.ddim", [("HyperTile", dict(tile_size=32, swap_size=4, max_depth=0, scale_depth=False))], (256, 256, 1), sampler_name="ddim")
    yield patched("tome.few", [("TomePatchModel", dict(ratio=0.01))], (64, 64, 1))
    for label, size, settings in (("square", (128, 128, 1), {}), ("odd", (200, 88, 2), dict(cfg=3.0)), ("cfg1", (128, 192, 1), dict(cfg=1.0)),
                                  ("small", (96, 32, 1), {})):
        yield patched(f"sag.{label}", [("SelfAttentionGuidance", dict(scale=0.6, blur_sigma=2.0))], size, **settings)
    yield patched("sag.freeu", [("SelfAttentionGuidance", dict(scale=-0.5, blur_sigma=1.3)), free2], sampler_name="dpmpp_2m")
    yield patched("tome.freeu", [("TomePatchModel", dict(ratio=0.4)), free])
    c = Chain(make())
    sag = c.add("SelfAttentionGuidance", model=c.graph.model, scale=0.5, blur_sigma=2.0)
    dual = c.add("DualCFGGuider", model=sag, cond1=c.positive, cond2=c.graph.text("a castle"), negative=c.negative, cfg_conds=4.0, cfg_cond2_negative=3.0, style="regular")
    yield name("patch.sag.dual"), c.graph.save(*c.advanced(guider=dual, latent=c.graph.empty(128, 128)))
    c = Chain(make())
    mask = c.add("LoadImageMask", image="parity.png", channel="alpha")
    masked = c.add("SetLatentNoiseMask", samples=c.graph.encode(160, 128), mask=mask)
    tome = c.add("TomePatchModel", model=c.graph.model, ratio=0.5)
    yield name("patch.tome.masked"), c.graph.save(*c.advanced(c.basic(tome, denoise=0.7), c.select("ddim"), guider=c.cfg(tome), latent=masked))


def few_steps(make, name):
    for sampler in comfy.samplers.SAMPLER_NAMES:
        for scheduler in ("karras", "normal", "sgm_uniform", "simple"):
            for steps in (1, 2, 3, 4):
                g = make()
                yield name(f"few.{sampler}.{scheduler}.{steps}"), g.save(g.sample(sampler_name=sampler, scheduler=scheduler, steps=steps, seed=steps + 5))


def cases(make, name):
    yield from chains(make, name)
    yield from models(make, name)
    yield from patches(make, name)
    yield from few_steps(make, name)
