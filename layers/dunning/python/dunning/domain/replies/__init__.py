"""
Replies: what a customer's text message means, by rules that are data.

A reply is folded as the linter folds texts, cut into words, freed of what it quotes of ours, and compared with phrases
clause by clause. No rule guesses: a reply that no phrase fits means nothing.
"""

from dunning.domain.replies.dates import DateKind, DateWords, FigureOrder
from dunning.domain.replies.phrases import Pattern, PatternError, Phrases, Vocabulary, compiled
from dunning.domain.replies.reader import ReplyReader, ReplyRule, ReplyWords

__all__ = [
    "DateKind",
    "DateWords",
    "FigureOrder",
    "Pattern",
    "PatternError",
    "Phrases",
    "ReplyReader",
    "ReplyRule",
    "ReplyWords",
    "Vocabulary",
    "compiled",
]
