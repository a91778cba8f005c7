"""The core: no AWS, no clock, no environment, no logging. Facts, policy and the time go in, a decision comes out."""
