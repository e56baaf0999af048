"""Cases of `parity.py` where sampling has edges: no steps, one, the ends of every setting's range, patches together."""
import comfy.samplers

from parity_sampling import SIGMAS, Chain

BROWNIAN = ("dpmpp_sde", "dpmpp_2m_sde", "dpmpp_2m_sde_heun", "dpmpp_3m_sde")
SEEDS = (0, 1, 2**32, 2**63 - 1, 2**64 - 2, 2**64 - 1)


def schedules(make, name):
    """Schedulers of the custom nodes at the ends of their ranges."""
    karras = [dict(steps=1, rho=7.0, **SIGMAS), dict(steps=3, rho=0.5, **SIGMAS), dict(steps=4, rho=100.0, **SIGMAS),
              dict(steps=4, rho=7.0, sigma_max=10.0, sigma_min=0.0), dict(steps=4, rho=7.0, sigma_max=2.0, sigma_min=9.0),
              dict(steps=2, rho=1.0, sigma_max=80.0, sigma_min=0.002)]
    exponential = [dict(steps=1, **SIGMAS), dict(steps=2, sigma_max=1.0, sigma_min=1.0), dict(steps=7, sigma_max=100.0, sigma_min=0.001)]
    polyexponential = [dict(steps=1, rho=1.0, **SIGMAS), dict(steps=4, rho=0.0, **SIGMAS), dict(steps=6, rho=9.5, **SIGMAS)]
    laplace = [dict(steps=1, mu=0.0, beta=0.5, **SIGMAS), dict(steps=5, mu=-2.5, beta=3.0, **SIGMAS), dict(steps=5, mu=10.0, beta=0.0, **SIGMAS)]
    vp = [dict(steps=s, beta_d=d, beta_min=m, eps_s=e) for s, d, m, e in
          ((1, 19.9, 0.1, 0.001), (6, 5.0, 2.0, 0.1), (4, 0.0, 1.0, 0.01), (4, 30.0, 0.0, 0.001), (4, 19.9, 0.1, 1.0), (3, 60.0, 10.0, 0.02))]
    ays = [dict(model_type=m, steps=s, denoise=d) for m in ("SD1", "SDXL") for s, d in
           ((1, 1.0), (2, 1.0), (11, 1.0), (25, 1.0), (10, 0.0), (10, 0.04), (10, 0.5), (7, 0.35), (4, 0.99))]
    for node, settings in (("KarrasScheduler", karras), ("ExponentialScheduler", exponential), ("PolyexponentialScheduler", polyexponential),
                           ("LaplaceScheduler", laplace), ("VPScheduler", vp), ("AlignYourStepsScheduler", ays)):
        for index, inputs in enumerate(settings):
            c = Chain(make())
            yield name(f"edge.{node}.{index}"), c.graph.save(*c.advanced(c.add(node, **inputs), c.select("dpmpp_2m"), latent=c.graph.encode()))
    beta = [dict(steps=s, alpha=a, beta=b) for s, a, b in
            ((1, 0.6, 0.6), (5, 0.01, 0.01), (6, 50.0, 50.0), (6, 0.05, 40.0), (6, 40.0, 0.05), (40, 1.0, 1.0), (8, 2.0, 5.0), (12, 0.5, 0.5))]
    turbo = [dict(steps=s, denoise=d) for s, d in ((1, 1.0), (10, 1.0), (4, 0.55), (3, 0.29), (2, 0.1), (10, 0.05), (1, 0.0), (5, 0.99))]
    for node, settings in (("BetaSamplingScheduler", beta), ("SDTurboScheduler", turbo)):
        for index, inputs in enumerate(settings):
            c = Chain(make())
            yield name(f"edge.{node}.{index}"), c.graph.save(*c.advanced(c.add(node, model=c.graph.model, **inputs), latent=c.graph.encode()))
    for scheduler in comfy.samplers.SCHEDULER_NAMES:
        for steps, denoise in ((1, 1.0), (1, 0.5), (3, 0.0), (4, 0.05), (2, 0.99), (5, 1.0)):
            c = Chain(make())
            sigmas = c.basic(scheduler=scheduler, steps=steps, denoise=denoise)
            yield name(f"edge.basic.{scheduler}.{steps}.{denoise}"), c.graph.save(*c.custom(sigmas, c.select("euler_ancestral"), latent=c.graph.encode()))


def cuts(make, name):
    """Schedules cut, turned and begun elsewhere; runs that leave noise in."""
    for sampler in comfy.samplers.SAMPLER_NAMES:
        for step in (0, 2, 4, 9):
            c = Chain(make())
            split = c.add("SplitSigmas", sigmas=c.basic(steps=4), step=step)
            high, denoised = c.advanced(split, c.select(sampler), latent=c.graph.empty(72, 64))
            low, last = c.custom([split[0], 1], c.select(sampler), latent=high, add_noise=False, noise_seed=8)
            yield name(f"edge.split.{sampler}.{step}"), c.graph.save(high, denoised, low, last)
        c = Chain(make())
        flipped = c.add("FlipSigmas", sigmas=c.basic(steps=6, scheduler="normal"))
        first = c.add("SetFirstSigma", sigmas=flipped, sigma=2.0)
        yield name(f"edge.flip.{sampler}"), c.graph.save(*c.custom(first, c.select(sampler), latent=c.graph.encode(), add_noise=False, cfg=1.0))
    for steps in (1, 4, 5):
        for denoise in (0.0, 0.3, 0.5, 0.7, 1.0):
            c = Chain(make())
            split = c.add("SplitSigmasDenoise", sigmas=c.basic(steps=steps), denoise=denoise)
            high, denoised = c.advanced(split)
            low, last = c.advanced([split[0], 1], noise=c.add("DisableNoise"), latent=high)
            yield name(f"edge.denoise.{steps}.{denoise}"), c.graph.save(high, denoised, low, last)
    for sigma in (0.0, 0.5, 14.6, 300.0):
        c = Chain(make())
        yield name(f"edge.first.{sigma}"), c.graph.save(*c.custom(c.add("SetFirstSigma", sigmas=c.basic(), sigma=sigma), latent=c.graph.encode()))
    for spacing in ("linear", "cosine", "sine"):
        for steps, start, end in ((1, -1.0, 0.0), (2, 8.0, 1.0), (5, 20000.0, 0.0), (3, 1.0, 5.0)):
            c = Chain(make())
            more = c.add("ExtendIntermediateSigmas", sigmas=c.basic(steps=3), steps=steps, start_at_sigma=start, end_at_sigma=end, spacing=spacing)
            yield name(f"edge.extend.{spacing}.{steps}.{end}"), c.graph.save(*c.custom(more, c.select("dpmpp_2m")))
    for part in ("all", "one", "none"):
        c = Chain(make())
        split = c.add("SplitSigmas", sigmas=c.basic(steps=4, denoise=0.5), step={"all": 99, "one": 0, "none": 99}[part])
        sigmas = [split[0], 1] if part == "none" else split
        noised = c.add("AddNoise", model=c.graph.model, noise=c.add("RandomNoise", noise_seed=3), sigmas=sigmas, latent_image=c.graph.encode())
        yield name(f"edge.noise.{part}"), c.graph.save(noised)


def advanced(make, name):
    """KSamplerAdvanced's ranges of steps."""
    ranges = ((0, 0), (0, 1), (2, 2), (3, 2), (3, 4), (4, 9), (5, 10000), (6, 10000), (5, 5), (0, 6))
    for start, end in ranges:
        for noise in ("enable", "disable"):
            for leftover in ("enable", "disable"):
                for sampler in ("dpmpp_2m", "uni_pc", "euler_ancestral"):
                    g = make()
                    settings = dict(add_noise=noise, start_at_step=start, end_at_step=end, return_with_leftover_noise=leftover, steps=6, sampler_name=sampler)
                    yield name(f"edge.advanced.{start}-{end}.{noise}.{leftover}.{sampler}"), g.save(
                        g.advanced(g.encode(), g.text("a knight"), g.text("bad"), **settings))
    for sampler in comfy.samplers.SAMPLER_NAMES:
        g = make()
        p, n = g.text("a knight"), g.text("bad")
        first = g.advanced(g.empty(), p, n, sampler_name=sampler, end_at_step=3, return_with_leftover_noise="enable", steps=6)
        second = g.advanced(first, p, n, sampler_name=sampler, add_noise="disable", start_at_step=3, steps=6)
        yield name(f"edge.two.{sampler}"), g.save(first, second)
        g = make()
        yield name(f"edge.full.{sampler}"), g.save(g.advanced(g.empty(), g.text("a knight"), g.text("bad"), sampler_name=sampler, end_at_step=3, steps=6))


def settings(make, name):
    """The Sampler… nodes' settings."""
    etas = ((0.0, 1.0), (0.0, 0.0), (0.5, 1.5), (1.0, 0.0), (1.7, 1.0))
    devices = ("cpu", "gpu")
    for eta, noise in etas:
        strength = dict(eta=eta, s_noise=noise)
        nodes = {
            "euler_ancestral": ("SamplerEulerAncestral", strength),
            "cfg_pp": ("SamplerEulerAncestralCFGPP", dict(eta=min(eta, 1.0), s_noise=noise)),
            "2s": ("SamplerDPMPP_2S_Ancestral", strength),
            "er": ("SamplerER_SDE", dict(solver_type="ER-SDE", max_stage=2, **strength)),
            "reverse": ("SamplerER_SDE", dict(solver_type="Reverse-time SDE", max_stage=3, **strength)),
            "ode": ("SamplerER_SDE", dict(solver_type="ODE", max_stage=1, **strength)),
        }
        for device in devices:
            nodes[f"3m.{device}"] = ("SamplerDPMPP_3M_SDE", dict(noise_device=device, **strength))
            for solver in ("midpoint", "heun"):
                nodes[f"2m.{solver}.{device}"] = ("SamplerDPMPP_2M_SDE", dict(solver_type=solver, noise_device=device, **strength))
            for r in (0.3, 1.0):
                nodes[f"sde.{r}.{device}"] = ("SamplerDPMPP_SDE", dict(r=r, noise_device=device, **strength))
        for label, (node, inputs) in nodes.items():
            c = Chain(make())
            yield name(f"edge.set.{label}.{eta}.{noise}"), c.graph.save(*c.advanced(c.basic(steps=6), c.add(node, **inputs), latent=c.graph.empty(64, 96, 2)))
        for pece in (False, True):
            for predictor, corrector in ((1, 1), (2, 0), (4, 3), (6, 6)):
                c = Chain(make())
                sampler = c.add("SamplerSASolver", model=c.graph.model, sde_start_percent=0.1, sde_end_percent=0.7, predictor_order=predictor,
                                corrector_order=corrector, use_pece=pece, simple_order_2=corrector == 0, **strength)
                yield name(f"edge.set.sa.{pece}.{predictor}.{eta}.{noise}"), c.graph.save(*c.advanced(c.basic(steps=8, scheduler="normal"), sampler))
    for order in (1, 2, 4, 5, 8, 20, 100):
        c = Chain(make())
        yield name(f"edge.lms.{order}"), c.graph.save(*c.advanced(c.basic(steps=9), c.add("SamplerLMS", order=order)))
    plain = dict(order=3, rtol=0.05, atol=0.0078, h_init=0.05, pcoeff=0.0, icoeff=1.0, dcoeff=0.0, accept_safety=0.81, eta=0.0, s_noise=1.0)
    for label, changed in (("2", dict(order=2)), ("tight", dict(rtol=0.02)), ("loose", dict(rtol=0.5, atol=0.1)), ("pid", dict(pcoeff=0.3, icoeff=0.7, dcoeff=0.1)),
                           ("noisy", dict(eta=0.7, s_noise=1.2)), ("large", dict(h_init=3.0)), ("safe", dict(accept_safety=0.5)), ("noisy.2", dict(order=2, eta=1.0))):
        c = Chain(make())
        yield name(f"edge.adaptive.{label}"), c.graph.save(*c.advanced(c.basic(), c.add("SamplerDPMAdaptative", **{**plain, **changed}), latent=c.graph.empty(128, 64)))


def everyday(make, name):
    """Usual step counts, seeds, scales of guidance, masks and small sizes, for every sampler."""
    for sampler in comfy.samplers.SAMPLER_NAMES:
        c = Chain(make())
        yield name(f"edge.usual.{sampler}"), c.graph.save(*c.custom(c.basic(steps=20), c.select(sampler), latent=c.graph.empty(88, 72, 2)))
        for cfg in (0.0, 1.0, 30.0):
            g = make()
            yield name(f"edge.cfg.{sampler}.{cfg}"), g.save(g.sample(sampler_name=sampler, cfg=cfg, steps=4, scheduler="karras"))
        c = Chain(make())
        mask = c.add("LoadImageMask", image="parity.png", channel="alpha")
        masked = c.add("SetLatentNoiseMask", samples=c.graph.encode(), mask=mask)
        batch = [c.graph.add("RepeatLatentBatch", samples=masked, amount=2), 0]
        yield name(f"edge.masked.{sampler}"), c.graph.save(*c.advanced(c.basic(denoise=0.7), c.select(sampler), latent=batch))
        g = make()
        yield name(f"edge.small.{sampler}"), g.save(g.sample(sampler_name=sampler, scheduler="simple", latent=g.empty(16, 24), steps=3))
    for sampler in ("euler_ancestral", "dpmpp_sde", "dpmpp_3m_sde", "er_sde", "lcm", "sa_solver", "dpmpp_2m_sde_gpu", "ddim"):
        for seed in SEEDS:
            g = make()
            yield name(f"edge.seed.{sampler}.{seed}"), g.save(g.sample(sampler_name=sampler, seed=seed, steps=4))
            c = Chain(make())
            masked = c.add("SetLatentNoiseMask", samples=c.graph.encode(), mask=c.add("SolidMask", value=0.6, width=96, height=64))
            noise = c.add("RandomNoise", noise_seed=seed)
            yield name(f"edge.seed.masked.{sampler}.{seed}"), c.graph.save(*c.advanced(c.basic(steps=3), c.select(sampler), noise=noise, latent=masked))
    for denoise in (0.0, 0.001, 0.1, 0.9999, 0.99995):
        for sampler in ("euler", "dpmpp_2m_sde", "uni_pc"):
            g = make()
            yield name(f"edge.img2img.{denoise}.{sampler}"), g.save(g.sample(sampler_name=sampler, denoise=denoise, steps=4, latent=g.encode()))


def guiders(make, name):
    for cfg1, cfg2 in ((1.0, 1.0), (1.0, 4.0), (4.0, 1.0), (0.0, 0.0), (7.0, 0.0)):
        for style in ("regular", "nested"):
            for sampler in ("euler", "euler_ancestral_cfg_pp"):
                c = Chain(make())
                guider = c.add("DualCFGGuider", model=c.graph.model, cond1=c.positive, cond2=c.graph.text("a castle"), negative=c.negative,
                               cfg_conds=cfg1, cfg_cond2_negative=cfg2, style=style)
                yield name(f"edge.dual.{cfg1}.{cfg2}.{style}.{sampler}"), c.graph.save(*c.advanced(guider=guider, sampler=c.select(sampler)))
    for cfg in (0.0, 1.0, 9.0):
        for scale in (0.0, 1.0, 4.0):
            for sampler in ("dpmpp_2m", "dpmpp_2m_cfg_pp"):
                c = Chain(make())
                guider = c.add("PerpNegGuider", model=c.graph.model, positive=c.positive, negative=c.negative, empty_conditioning=c.graph.text(""), cfg=cfg, neg_scale=scale)
                yield name(f"edge.perp.guider.{cfg}.{scale}.{sampler}"), c.graph.save(*c.advanced(guider=guider, sampler=c.select(sampler)))
                g = make()
                model = [g.add("PerpNeg", model=g.model, empty_conditioning=g.text(""), neg_scale=scale), 0]
                yield name(f"edge.perp.node.{cfg}.{scale}.{sampler}"), g.save(g.sample(model=model, cfg=cfg, sampler_name=sampler))
        for multiplier in (0.0, 0.5, 1.0):
            for sampler in ("euler", "euler_cfg_pp", "dpmpp_sde"):
                g = make()
                model = [g.add("RescaleCFG", model=g.model, multiplier=multiplier), 0]
                yield name(f"edge.rescale.{multiplier}.{cfg}.{sampler}"), g.save(g.sample(model=model, cfg=cfg, sampler_name=sampler, latent=g.empty(64, 72, 2)))
    c = Chain(make())
    yield name("edge.basic.cfg_pp"), c.graph.save(*c.advanced(guider=c.add("BasicGuider", model=c.graph.model, conditioning=c.positive), sampler=c.select("dpmpp_2m_cfg_pp")))
    g = make()
    both = [g.add("PerpNeg", model=[g.add("RescaleCFG", model=g.model, multiplier=0.6), 0], empty_conditioning=g.text(""), neg_scale=1.0), 0]
    other = [g.add("RescaleCFG", model=[g.add("PerpNeg", model=g.model, empty_conditioning=g.text(""), neg_scale=1.0), 0], multiplier=0.6), 0]
    yield name("edge.rescale.perp"), g.save(g.sample(model=both), g.sample(model=other))
    c = Chain(make())
    area = c.add("ConditioningSetArea", conditioning=c.graph.text("a tree"), width=64, height=64, x=32, y=0, strength=0.8)
    c.positive = c.add("ConditioningCombine", conditioning_1=c.positive, conditioning_2=area)
    ranged = c.add("ConditioningSetTimestepRange", conditioning=c.graph.text("a castle"), start=0.3, end=0.8)
    dual = c.add("DualCFGGuider", model=c.graph.model, cond1=c.positive, cond2=ranged, negative=c.negative, cfg_conds=4.0, cfg_cond2_negative=3.0, style="regular")
    yield name("edge.dual.areas"), c.graph.save(*c.advanced(c.basic(steps=8), guider=dual, latent=c.graph.empty(136, 104)))
    perp = c.add("PerpNegGuider", model=c.graph.model, positive=c.positive, negative=ranged, empty_conditioning=c.graph.text(""), cfg=5.0, neg_scale=1.0)
    yield name("edge.perp.areas"), c.graph.save(*c.advanced(c.basic(steps=8), guider=perp, latent=c.graph.empty(136, 104)))


def kinds(make, name):
    """Models told what they predict, with every sampler."""
    models = [(f"{kind}{'.zsnr' if zsnr else ''}", "ModelSamplingDiscrete", dict(sampling=kind, zsnr=zsnr))
              for kind in ("eps", "v_prediction", "lcm", "x0") for zsnr in (False, True)]
    models += [(f"edm.{kind}", "ModelSamplingContinuousEDM", dict(sampling=kind, sigma_max=high, sigma_min=low))
               for kind, high, low in (("v_prediction", 120.0, 0.002), ("edm", 1000.0, 0.01), ("edm_playground_v2.5", 80.0, 0.002), ("eps", 14.0, 0.03))]
    for label, node, inputs in models:
        for sampler in ("heun", "dpm_2_ancestral", "lms", "dpmpp_2s_ancestral", "dpmpp_sde", "dpmpp_3m_sde", "ddpm", "ipndm_v", "deis", "res_multistep_ancestral",
                        "gradient_estimation", "er_sde", "seeds_2", "seeds_3", "sa_solver", "sa_solver_pece", "uni_pc_bh2", "dpmpp_2m_cfg_pp"):
            g = make()
            model = [g.add(node, model=g.model, **inputs), 0]
            yield name(f"edge.kind.{label}.{sampler}"), g.save(g.sample(model=model, sampler_name=sampler, scheduler="sgm_uniform", cfg=2.0, steps=5))
        for scheduler in comfy.samplers.SCHEDULER_NAMES:
            g = make()
            model = [g.add(node, model=g.model, **inputs), 0]
            yield name(f"edge.kind.{label}.{scheduler}"), g.save(g.sample(model=model, sampler_name="euler", scheduler=scheduler, cfg=2.0, steps=6, denoise=0.6, latent=g.encode()))


def patches(make, name):
    """Changes of the UNet together, in both orders."""
    parts = {
        "freeu": ("FreeU", dict(b1=1.1, b2=1.2, s1=0.9, s2=0.2)),
        "freeu2": ("FreeU_V2", dict(b1=1.3, b2=1.4, s1=0.9, s2=0.2)),
        "tile": ("HyperTile", dict(tile_size=32, swap_size=3, max_depth=0, scale_depth=False)),
        "deep": ("HyperTile", dict(tile_size=32, swap_size=2, max_depth=3, scale_depth=False)),
        "wide": ("HyperTile", dict(tile_size=512, swap_size=2, max_depth=1, scale_depth=True)),
        "tome": ("TomePatchModel", dict(ratio=0.4)),
        "tome0": ("TomePatchModel", dict(ratio=0.0)),
        "tome1": ("TomePatchModel", dict(ratio=1.0)),
        "tome.7": ("TomePatchModel", dict(ratio=0.75)),
        "sag": ("SelfAttentionGuidance", dict(scale=0.6, blur_sigma=2.0)),
        "sharp": ("SelfAttentionGuidance", dict(scale=1.5, blur_sigma=0.1)),
        "still": ("SelfAttentionGuidance", dict(scale=1.0, blur_sigma=0.0)),
        "rescale": ("RescaleCFG", dict(multiplier=0.7)),
        "v": ("ModelSamplingDiscrete", dict(sampling="v_prediction", zsnr=False)),
    }
    chains = ["freeu sag tile", "sag tile freeu", "tile sag", "sag deep", "deep sag", "deep", "wide", "tile tome", "tome tile", "deep tome", "tome deep", "wide tome",
              "tome wide", "tome0 tile", "tile tome0", "tome1", "tome.7", "tome1 sag", "tome.7 deep", "sag tome freeu tile", "freeu2 freeu tome sag", "tile tile", "deep tile",
              "tome tome", "tome.7 tome", "sag sag", "sharp", "still", "sag rescale", "rescale sag", "v sag", "sag v", "freeu v rescale", "freeu2 rescale tome",
              "freeu freeu", "wide deep", "deep wide"]
    for chain in chains:
        for size, batch, settings in (((128, 128), 1, {}), ((256, 64), 2, dict(cfg=1.0)), ((104, 200), 1, dict(sampler_name="dpmpp_2m", scheduler="karras"))):
            g = make()
            model = g.model
            for part in chain.split():
                node, inputs = parts[part]
                model = [g.add(node, model=model, **inputs), 0]
            values = dict(sampler_name="euler_ancestral", steps=3, seed=31)
            values.update(settings)
            yield name(f"edge.patch.{chain.replace(' ', '-')}.{size[0]}"), g.save(g.sample(model=model, latent=g.empty(*size, batch), **values))
    for chain in ("freeu2", "tile", "deep", "tome", "sag", "freeu sag tile", "sag tome"):
        def chained(g, model):
            for part in chain.split():
                node, inputs = parts[part]
                model = [g.add(node, model=model, **inputs), 0]
            return model
        label = chain.replace(" ", "-")
        g = make()
        lora = g.add("LoraLoader", model=g.model, clip=g.clip, lora_name=f"{g.checkpoint}-lora.safetensors", strength_model=0.8, strength_clip=0.6)
        yield name(f"edge.patch.lora.{label}"), g.save(g.sample(g.text("a knight", [lora, 1]), model=chained(g, [lora, 0]), latent=g.empty(128, 136), sampler_name="dpmpp_2m_sde"))
        g = make()
        area = [g.add("ConditioningSetArea", conditioning=g.text("a tree"), width=96, height=64, x=32, y=40, strength=0.8), 0]
        positive = [g.add("ConditioningCombine", conditioning_1=g.text("a knight"), conditioning_2=area), 0]
        negative = [g.add("ConditioningCombine", conditioning_1=g.text("bad"), conditioning_2=[g.add("ConditioningSetArea", conditioning=g.text("worse"), width=96, height=64, x=0, y=0, strength=1.0), 0]), 0]
        yield name(f"edge.patch.area.{label}"), g.save(g.sample(positive, model=chained(g, g.model), latent=g.empty(136, 128)),
                                                       g.sample(positive, negative, model=chained(g, g.model), latent=g.empty(136, 128)))
        for sampler in ("ddim", "heun", "dpmpp_2m_cfg_pp"):
            c = Chain(make())
            masked = c.add("SetLatentNoiseMask", samples=c.graph.encode(128, 96), mask=c.add("LoadImageMask", image="parity.png", channel="alpha"))
            model = chained(c.graph, c.graph.model)
            yield name(f"edge.patch.masked.{label}.{sampler}"), c.graph.save(*c.advanced(c.basic(model, denoise=0.7), c.select(sampler), guider=c.cfg(model), latent=masked))
        c = Chain(make())
        model = chained(c.graph, c.graph.model)
        split = c.add("SplitSigmas", sigmas=c.basic(steps=6), step=3)
        high, denoised = c.advanced(split, guider=c.cfg(model), latent=c.graph.empty(128, 128))
        low, last = c.advanced([split[0], 1], guider=c.cfg(model), noise=c.add("DisableNoise"), latent=high)
        yield name(f"edge.patch.split.{label}"), c.graph.save(high, denoised, low, last)
        g = make()
        p, n = g.text("a knight"), g.text("bad")
        g.model = chained(g, g.model)
        first = g.advanced(g.empty(128, 128, 2), p, n, end_at_step=3, return_with_leftover_noise="enable", steps=5)
        yield name(f"edge.patch.two.{label}"), g.save(first, g.advanced(first, p, n, add_noise="disable", start_at_step=3, steps=5))
        c = Chain(make())
        model = chained(c.graph, c.graph.model)
        perp = c.add("PerpNegGuider", model=model, positive=c.positive, negative=c.negative, empty_conditioning=c.graph.text(""), cfg=5.0, neg_scale=1.0)
        yield name(f"edge.patch.perp.{label}"), c.graph.save(*c.advanced(guider=perp, latent=c.graph.empty(128, 128)))
        g = make()
        ranged = [g.add("ConditioningSetTimestepRange", conditioning=g.text("bad"), start=0.2, end=1.0), 0]
        late = [g.add("ConditioningSetTimestepRange", conditioning=g.text("dull"), start=0.0, end=0.2), 0]
        long = [g.add("ConditioningConcat", conditioning_to=g.text("worse"), conditioning_from=g.text("worst")), 0]
        negative = [g.add("ConditioningCombine", conditioning_1=ranged, conditioning_2=late), 0]
        yield name(f"edge.patch.ranges.{label}"), g.save(g.sample(negative=negative, model=chained(g, g.model), latent=g.empty(128, 128), steps=6),
                                                         g.sample(negative=long, model=chained(g, g.model), latent=g.empty(128, 128), steps=3))


def cases(make, name):
    for family in (schedules, cuts, advanced, settings, everyday, guiders, kinds, patches):
        yield from family(make, name)
