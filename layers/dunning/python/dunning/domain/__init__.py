"""The pure core: no AWS, no clock, no environment, no logging. Facts, policy and now in, a decision out."""

from dunning.domain.decide import decide
from dunning.domain.decision import Decision, Reason, Send, Stop, Wait, trace_of
from dunning.domain.segments import Segments, count_segments

__all__ = ["Decision", "Reason", "Segments", "Send", "Stop", "Wait", "count_segments", "decide", "trace_of"]
