"""Compare the SDK with its peers: speed as ratios, measured in one interleaved run.

`command` says what is asked for, `environments` installs who is compared, `interleaving` takes the samples from the
programs in `workers/`, `comparisons` says what they come to, `charts` draws them; each group has a module of its own.
"""
