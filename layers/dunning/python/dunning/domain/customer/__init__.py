"""The customer: the facts from the lender, and the standing, which is our own knowledge of contacting the customer."""
