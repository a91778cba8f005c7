"""
The law and the lenders' choices as data files, and the loaders that refuse bad ones.

`jurisdictions/` one file a place, `lenders/` one a lender, `texts/` one a language, `calendars/` one a country,
`replies/` what customers' words mean, one a language.
"""

from dunning.policy.book import PolicyBook, load_calendars_needed, load_policies
from dunning.policy.files import PolicyError

__all__ = ["PolicyBook", "PolicyError", "load_calendars_needed", "load_policies"]
