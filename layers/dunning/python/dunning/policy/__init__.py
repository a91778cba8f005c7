"""
The law and the lenders' choices as data files, and the loader that refuses bad ones.

`jurisdictions/` one file a place, `lenders/` one a lender, `texts/` one a language, `calendars/` one a country.
"""

from dunning.policy.loader import PolicyBook, PolicyError, load_policies

__all__ = ["PolicyBook", "PolicyError", "load_policies"]
