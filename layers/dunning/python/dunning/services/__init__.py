"""Services: the work of each function, as orchestration over ports."""
