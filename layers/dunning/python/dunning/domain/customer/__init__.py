"""The customer: what the lender says, and what we know about contacting them."""
