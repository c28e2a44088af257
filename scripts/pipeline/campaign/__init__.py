"""Kill the processes that share an outbox, again and again, and count what became of its messages.

`command` says what is asked for, `run` has things happen, which `chance` draws from the seed; `crew` forks and kills
the workers, `worker` is what they do, `messages` what they add; `api` is the sandbox in a process of its own; `figures`
counts from its ledger and from what the workers said before they died; `mutants` are mistakes that must show.

What the seed decides: every message, what happens in which order, every fault, what each worker is. What it does not:
how far a worker has come when something happens to it, which is the machine's affair, and with it all that follows.
"""
