"""What openapi-generator makes of the same document."""

import os

from pipeline.bench.workers.wire import CLIENT_ID, CLIENT_SECRET, MESSAGE


def load():
    """Import the package."""
    import oag_client
    from oag_client import COREApi


def connect(url):
    """Give a function that sends under a key."""
    from oag_client import ApiClient, AuthenticationApi, Configuration, COREApi, TokenRequest

    configuration = Configuration(host=url, ssl_ca_cert=os.environ.get("SSL_CERT_FILE"))
    client = ApiClient(configuration)
    asked = TokenRequest(grant_type="client_credentials", client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    configuration.access_token = AuthenticationApi(client).issue_token(asked).access_token.get_secret_value()
    send, make = COREApi(client).send_message, _maker()
    return lambda key: send(key, make())


def _maker():
    from oag_client import MessageType, SendMessageRequest

    return lambda: SendMessageRequest(
        send_from=MESSAGE["sendFrom"],
        to=MESSAGE["to"],
        message_type=MessageType.SMS,
        text=MESSAGE["text"],
        external_reference=MESSAGE["externalReference"],
    )


def encoder():
    """Give a function that makes a send of its fields and encodes it."""
    make = _maker()
    return lambda: make().to_json().encode()


def number_decoder():
    """Give a function that decodes a list of numbers."""
    from oag_client import NumberList

    return NumberList.from_json


def result_decoder():
    """Give a function that decodes the answer to a send."""
    from oag_client import SendMessageResponse

    return SendMessageResponse.from_json
