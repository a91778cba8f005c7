"""The console: what its pages show and do, as view models of codes and values. No HTML, and no words."""
