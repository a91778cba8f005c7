"""Services: what each function does, as orchestration over ports."""
