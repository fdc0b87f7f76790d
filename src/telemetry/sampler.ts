import type { Sampler } from "@opentelemetry/sdk-trace";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";

import type { SamplerConfiguration } from "./configuration.ts";
import { isAlwaysSampled } from "./spans.ts";

/** The configured sampler, except that a ratio keeps every failover and handover. */
export function createSampler({ root, parentBased, ratio }: SamplerConfiguration): Sampler {
  const base =
    root === "always_on" ? new AlwaysOnSampler()
    : root === "always_off" ? new AlwaysOffSampler()
    : keepRare(new TraceIdRatioBasedSampler(ratio));
  return parentBased ? new ParentBasedSampler({ root: base }) : base;
}

function keepRare(sampler: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      if (isAlwaysSampled(name)) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      return sampler.shouldSample(context, traceId, name, kind, attributes, links);
    },
    toString: () => sampler.toString(),
  };
}
