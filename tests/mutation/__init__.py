"""
Mutation testing: plants small faults in the rules, and asks whether a test notices each of them.

`python -m tests.mutation` is the command line. `scope` says what is mutated and which tests have to notice; `operators`
which faults are planted, and which are left out; `covering` which tests run which lines; `runner` runs them.
"""
