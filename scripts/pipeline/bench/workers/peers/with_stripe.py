"""stripe: it sends no messages; one POST under an idempotency key stands for a send."""

import os

from pipeline.bench.workers.wire import MESSAGE


def load():
    """Import the package."""
    import stripe


def connect(url):
    """Give a function that makes a customer under a key."""
    import stripe

    if "SSL_CERT_FILE" in os.environ:
        stripe.ca_bundle_path = os.environ["SSL_CERT_FILE"]
    create = stripe.StripeClient("sk_test_0", base_addresses={"api": url}).v1.customers.create
    fields = {"description": MESSAGE["text"], "metadata": {"externalReference": MESSAGE["externalReference"]}}
    return lambda key: create(fields, {"idempotency_key": key})
