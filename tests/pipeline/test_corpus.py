"""The wire corpus: what the examples of a document tell about the client of the next one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import pytest

from pipeline import reader
from pipeline.document import load
from pipeline.gate import corpus
from pipeline.gate.corpus import Failure, Read, Sent, evidence, run_both
from pipeline.gate.evidence import Evidence
from pipeline.gate.examples import gather
from pipeline.gate.sides import Side
from pipeline.gate.touched import Touched, touches
from pipeline.generate import generate
from pipeline.steps import ToolFailed

TEXT = (Path(__file__).parent / "documents" / "core-0.2.0.yaml").read_text()

SEND = "#/paths/~1api~1core~1messages~1send/post"
UPDATE = "#/paths/~1api~1core~1numbers~1{numberId}/patch"
NUMBERS = "#/paths/~1api~1core~1numbers/get"
TOKEN = "#/paths/~1api~1auth~1token/post"
WHOAMI = "#/paths/~1api~1core~1whoami/get"

Make = Callable[..., Side]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Give the function that makes the side of a document with changes; the same one is made once."""
    made: dict[str, Side] = {}

    def side(*changes: tuple[str, str], text: str = TEXT) -> Side:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        if text not in made:
            folder = tmp_path_factory.mktemp("side")
            (folder / "openapi.yaml").write_text(text)
            document = load(folder / "openapi.yaml")
            contract = reader.read(document)
            generate(document, contract, folder / "redcloud_core_client", locked=True)
            made[text] = Side(folder, document, contract)
        return made[text]

    return side


def block(text: str, first: str, behind: str) -> str:
    """Return the part of a text that begins with one line and ends before another."""
    begin = text.index(first)
    return text[begin : text.index(behind, begin)]


# openapi.yaml


def test_every_operation_is_in_it(make: Make) -> None:
    """Each operation has a call, and each example of a request is one that the client makes."""
    side = make()
    found = gather(side)
    assert {call.pointer for call in found.calls} == {operation.pointer for operation in side.contract.operations}
    assert [(call.operation, call.label, call.media) for call in found.calls] == [
        ("issue_token", "client_credentials", "application/json"),
        ("issue_token", "basic", "application/x-www-form-urlencoded"),
        ("issue_token", "client_credentials", "application/x-www-form-urlencoded"),
        ("whoami", "", ""),
        ("list_numbers", "", ""),
        ("search_numbers", "austin", "application/json"),
        ("update_number", "campaign", "application/json"),
        ("update_number", "clear", "application/json"),
        ("send_message", "sms", "application/json"),
        ("send_message", "mms", "application/json"),
    ]
    outcomes = corpus.run(side, found)
    assert all(isinstance(made, Sent) for made in outcomes.calls)
    assert outcomes.calls[1] == Sent(
        "POST",
        "/api/auth/token",
        {"content-type": "application/x-www-form-urlencoded"},
        b"grant_type=client_credentials",
    )
    sms = outcomes.calls[8]
    assert isinstance(sms, Sent)
    assert sms.headers["idempotency-key"] == "idem_order_789"
    assert json.loads(sms.content)["externalReference"] == "order_789"


def test_every_answer_is_in_it(make: Make) -> None:
    """Each example of each status is an answer that the client reads, success or error."""
    side = make()
    found = gather(side)
    outcomes = corpus.run(side, found)
    statuses = {(operation.name, found.status) for operation in side.contract.operations for found in operation.success}
    statuses |= {(operation.name, found.status) for operation in side.contract.operations for found in operation.errors}
    assert {(answer.operation, answer.status) for answer in found.answers} == statuses
    for answer, read in zip(found.answers, outcomes.answers, strict=True):
        assert read == Read(answer.status < 400, answer.value)


class Case(NamedTuple):
    """A change of openapi.yaml, and what is to be found: rule, weight, what it says, where, and the calls to touch."""

    changes: list[tuple[str, str]]
    rule: str
    weight: str
    says: list[str]
    before: str
    after: str
    touched: tuple[str, str] | None = None


FORM = block(TEXT, "          application/x-www-form-urlencoded:\n", "      responses:\n")
JSON = block(
    TEXT,
    "          application/json:\n            schema:\n              $ref: '#/components/schemas/TokenRequest'",
    FORM,
)
KEY = "        - name: Idempotency-Key\n"
TENANT = "        - {name: X-Tenant, in: header, required: true, schema: {type: string}, example: acme}\n"
NO_MMS = block(TEXT, "              mms:\n", "      responses:\n")

CASES = {
    "a property of a request is renamed": Case(
        [("externalReference", "externalRef")],
        "call-refused",
        "python",
        [
            f"`send_message` of example `{name}` no longer takes `externalReference` and now asks for `externalRef`"
            for name in ("sms", "mms")
        ],
        SEND,
        SEND,
        (
            'client.send_message(..., externalReference="order_789")',
            'client.send_message(..., externalRef="order_789")',
        ),
    ),
    "a property of an answer is removed": Case(
        [
            (block(TEXT, "        e164:\n", "        status:\n"), ""),
            ("required: [numberId, e164,", "required: [numberId,"),
        ],
        "answer-differs",
        "wire",
        ["the answer 200 of `list_numbers`, example `numbers`, no longer says `numbers[0].e164`"],
        NUMBERS,
        NUMBERS,
    ),
    "the type of a property of an answer is another": Case(
        [
            (
                "          type: string\n          description: The id of the number, the value",
                "          type: integer\n          description: The id of the number, the value",
            )
        ],
        "answer-unreadable",
        "wire",
        [
            "the answer 200 of `list_numbers`, example `numbers`, can no longer be read: "
            "Expected `int`, got `str` - at `$.numbers[0].numberId`"
        ],
        NUMBERS,
        NUMBERS,
    ),
    "a success status is another": Case(
        [("        '202':\n", "        '201':\n")],
        "answer-unreadable",
        "wire",
        [
            f"the answer 202 of `send_message`, example `{name}`, can no longer be read:"
            " the document says nothing of it"
            for name in ("queued", "partially_accepted")
        ],
        SEND,
        SEND,
    ),
    "a path is renamed": Case(
        [("/api/core/messages/send:", "/api/core/messages:")],
        "call-differs",
        "wire",
        [
            f"`send_message` of example `{name}`: it goes to `/api/core/messages` where it went to"
            " `/api/core/messages/send`"
            for name in ("sms", "mms")
        ],
        SEND,
        "#/paths/~1api~1core~1messages/post",
    ),
    "a path is renamed, and an example is another": Case(
        [
            ("/api/core/messages/send:", "/api/core/messages:"),
            ("externalReference: order_789", "externalReference: o_1"),
        ],
        "call-differs",
        "wire",
        [
            f"`send_message` of example `{name}`: it goes to `/api/core/messages` where it went to"
            " `/api/core/messages/send`"
            for name in ("sms", "mms")
        ],
        SEND,
        "#/paths/~1api~1core~1messages/post",
    ),
    "a method is another": Case(
        [("    patch:\n", "    put:\n")],
        "call-differs",
        "wire",
        [
            f"`update_number` of example `{name}`: it is sent by PUT where it was sent by PATCH"
            for name in ("campaign", "clear")
        ],
        UPDATE,
        UPDATE.replace("patch", "put"),
    ),
    "an operationId is renamed": Case(
        [("operationId: sendMessage", "operationId: submitMessage")],
        "call-refused",
        "python",
        ["there is no `send_message` any more"],
        SEND,
        "",
        ("client.send_message(...)", "client.submit_message(...)"),
    ),
    "an operation is removed": Case(
        [(block(TEXT, "  /api/core/whoami:\n", "  /api/core/numbers:\n"), "")],
        "call-refused",
        "python",
        ["there is no `whoami` any more"],
        WHOAMI,
        "",
        ("client.whoami()", ""),
    ),
    "a path parameter is renamed": Case(
        [("{numberId}", "{number}"), ("name: numberId", "name: number")],
        "call-refused",
        "python",
        [
            f"`update_number` of example `{name}` no longer takes `numberId` and now asks for `number`"
            for name in ("campaign", "clear")
        ],
        UPDATE,
        UPDATE.replace("{numberId}", "{number}"),
        ('client.update_number(..., numberId="num_abc123")', 'client.update_number(..., number="num_abc123")'),
    ),
    "a header is required": Case(
        [(KEY, TENANT + KEY)],
        "call-refused",
        "python",
        [f"`send_message` of example `{name}` now asks for `x_tenant`" for name in ("sms", "mms")],
        SEND,
        SEND,
        ("client.send_message(...)", 'client.send_message(..., x_tenant="acme")'),
    ),
    "a header has another name, and the same keyword": Case(
        [("name: Idempotency-Key", "name: Idempotency_Key")],
        "call-differs",
        "wire",
        [
            f"`send_message` of example `{name}`: it is sent without the header `idempotency-key`, and it is sent with"
            " the header `idempotency_key`"
            for name in ("sms", "mms")
        ],
        SEND,
        SEND,
    ),
    "a value of an enum is removed": Case(
        [("enum: [SMS, MMS]", "enum: [SMS]"), (NO_MMS, "")],
        "call-refused",
        "wire",
        ["`send_message` of example `mms` is refused: messageType: must be one of `SMS`"],
        SEND,
        SEND,
        (
            'client.send_message(..., messageType="MMS", media=[{"url": "https://example.com/media/hello.png"}])',
            'client.send_message(..., messageType="SMS")',
        ),
    ),
    "a constraint is tighter than an example": Case(
        [
            ("The text of the message.", "The text of the message.\n          maxLength: 5"),
            ("text: Hello from Red Cloud", "text: Hello"),
        ],
        "call-refused",
        "wire",
        [
            f"`send_message` of example `{name}` is refused: text: must hold at most 5 characters"
            for name in ("sms", "mms")
        ],
        SEND,
        SEND,
        ('client.send_message(..., text="Hello from Red Cloud")', 'client.send_message(..., text="Hello")'),
    ),
    "a constraint is tighter than what the new document shows": Case(
        [("The text of the message.", "The text of the message.\n          maxLength: 5")],
        "call-refused",
        "wire",
        [
            f"`send_message` of example `{name}` is refused: text: must hold at most 5 characters"
            for name in ("sms", "mms")
        ],
        SEND,
        SEND,
    ),
    "a content type is removed": Case(
        [(FORM, "")],
        "call-refused",
        "python",
        [
            f"`issue_token` of example `{name}` (application/x-www-form-urlencoded) {says}"
            for name, says in (
                ("basic", "no longer takes `content_type` and now asks for `client_id`, `client_secret`"),
                ("client_credentials", "no longer takes `content_type`"),
            )
        ],
        TOKEN,
        TOKEN,
        (
            'client.issue_token(..., content_type="application/x-www-form-urlencoded")',
            'client.issue_token(..., client_id="rc_test_client_123", client_secret="rc_secret_abc123")',
        ),
    ),
    "the first content type is another": Case(
        [(JSON + FORM, FORM + JSON)],
        "call-differs",
        "wire",
        [
            "`issue_token` of example `client_credentials`: the header `content-type` says"
            " `application/x-www-form-urlencoded` where it said `application/json`"
        ],
        TOKEN,
        TOKEN,
        ("client.issue_token(...)", 'client.issue_token(..., content_type="application/json")'),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_break_is_found(make: Make, case: Case) -> None:
    """A change that breaks callers is found where it is, with its weight, and nothing else is."""
    trial = run_both(make(), make(*case.changes))
    assert evidence(trial) == [
        Evidence("corpus", case.rule, case.weight, says, case.before, case.after) for says in case.says
    ]
    assert touches(trial) == ([Touched(case.before, *case.touched)] if case.touched else [])


HARMLESS = {
    "a description": [("The text of the message.", "What the message says.")],
    "an example": [("order_789", "order_790"), ("num_abc123", "num_abc124"), ("code: CONFLICT", "code: DIFFERENT")],
    "an optional property of a request": [
        (
            "        externalReference:\n",
            "        priority: {type: string, examples: [low]}\n        externalReference:\n",
        )
    ],
    "a required property of an answer": [
        (
            "      required: [numberId, e164, status, smsEnabled, mmsEnabled]\n",
            "      required: [numberId, e164, status, smsEnabled, mmsEnabled, region]\n",
        ),
        ("        e164:\n", "        region: {$ref: '#/components/schemas/Region'}\n        e164:\n"),
        (
            "    NumberUpdate:\n",
            "    Region: {type: object, required: [name], properties: {name: {type: string}}}\n    NumberUpdate:\n",
        ),
    ],
    "an error status": [("        '409':\n", "        '429': {description: Too many.}\n        '409':\n")],
    "a value of an enum": [("enum: [SMS, MMS]", "enum: [SMS, MMS, RCS]")],
    "the order of properties": [
        (block(TEXT, "        npa:\n", "        nxx:\n"), ""),
        ("        rateCenter:\n", block(TEXT, "        npa:\n", "        nxx:\n") + "        rateCenter:\n"),
    ],
    "a tag": [("tags: [CORE]", "tags: [Messages]")],
    "an id of the same method": [("operationId: sendMessage", "operationId: send_message")],
}


@pytest.mark.parametrize(
    "changes",
    [HARMLESS["a description"], HARMLESS["an example"], [change for found in HARMLESS.values() for change in found]],
    ids=["a description", "an example", "all together"],
)
def test_what_breaks_nobody_is_no_evidence(make: Make, changes: list[tuple[str, str]]) -> None:
    """A change that callers do not feel is none."""
    trial = run_both(make(), make(*changes))
    assert evidence(trial) == []
    assert touches(trial) == []


def test_the_same_client_twice(make: Make) -> None:
    """Two clients that are the same differ in nothing."""
    old = make()
    assert evidence(run_both(old, old)) == []
    assert touches(run_both(old, old)) == []


# Documents that openapi.yaml is not

SHOP = """
openapi: 3.1.0
info: {title: Shop, version: 1.0.0}
components:
  examples:
    Big: {value: {order-id: "1", note: "say \\"hi\\"\\n\\e[31m \\u202e é", gift: true, price: 1}}
  schemas:
    Order:
      type: object
      required: [order-id]
      properties:
        order-id: {type: string}
        id: {type: integer, readOnly: true}
        note: {type: string}
        gift: {type: boolean}
        price: {type: number}
    Node:
      type: object
      required: [name]
      properties:
        name: {type: string, examples: [root]}
        due: {type: string, format: date}
        seen: {type: string, format: date-time, examples: ['2026-01-02T03:04:05Z']}
        next: {$ref: '#/components/schemas/Node'}
        tags: {type: array, items: {type: string, examples: [new]}}
        kind: {anyOf: [{type: string, examples: [leaf]}, {type: 'null'}]}
        both: {allOf: [{$ref: '#/components/schemas/Part'}, {properties: {b: {type: integer, examples: [2]}}}]}
    Part: {type: object, required: [a], properties: {a: {enum: [x, y]}}}
paths:
  /orders/{shop}:
    parameters:
      - {name: shop, in: path, required: true, schema: {type: string}, examples: {other: {value: s2}, Big: {value: s1}}}
      - {name: limit, in: query, schema: {type: integer, examples: [5]}}
      - {name: sort, in: query, schema: {type: string}, example: up}
      - {name: quiet, in: query, schema: {type: boolean}}
    get:
      operationId: listOrders
      responses:
        default:
          description: All.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Order'}}
              example: [{order-id: "1"}]
    post:
      operationId: putOrder
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Order'}
            examples:
              Big: {$ref: '#/components/examples/Big'}
              read: {value: {id: 7, order-id: "2"}}
              bad: {value: {order-id: 3}}
              elsewhere: {externalValue: 'https://example.com/order.json'}
      responses:
        '200': {description: One., content: {text/plain: {schema: {type: string}, example: done}}}
        4XX:
          description: No.
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}, example: {order-id: "1"}}}
        '400': {description: No., content: {application/json: {schema: {$ref: '#/components/schemas/Node'}}}}
        default: {description: No., content: {application/json: {schema: {$ref: '#/components/schemas/Part'}}}}
  /form:
    post:
      operationId: fill
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {a: {type: string}, b-c: {type: string}}}
            example: {a: "1", b-c: "2"}
      responses: {'204': {description: Filled.}}
  /nodes:
    put:
      operationId: grow
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Node'}}}}
      responses: {'204': {description: Grown.}}
  /notes:
    put:
      operationId: write
      requestBody: {required: true, content: {text/plain: {schema: {type: string}, example: hello}}}
      responses: {'204': {description: Written.}}
"""

ORDERS = "#/paths/~1orders~1{shop}"


def shop_calls(side: Side, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return label and keywords of each call of an operation."""
    return [(call.label, dict(call.keywords)) for call in gather(side).calls if call.operation == name]


def test_calls_of_other_forms(make: Make) -> None:
    """Examples are found wherever OpenAPI lets them stand, and what a schema shows is put together."""
    side = make(text=SHOP)
    assert shop_calls(side, "list_orders") == [("", {"shop": "s2"}), ("", {"shop": "s2", "limit": 5, "sort": "up"})]
    least = {"limit": 5, "sort": "up"}
    big, read, bad = shop_calls(side, "put_order")
    assert big[0] == "Big"
    assert big[1]["shop"] == "s1"  # the parameter's example of the same name
    assert read == ("read", {"shop": "s2", **least, "order_id": "2"})  # `id` is read only
    assert bad == ("bad", {"shop": "s2", **least, "order_id": 3})
    node = {"name": "root", "seen": "2026-01-02T03:04:05Z", "tags": ["new"], "kind": "leaf"}
    assert shop_calls(side, "grow") == [("", {**node, "both": {"b": 2, "a": "x"}})]
    assert shop_calls(side, "write") == [("", {"body": "hello"})]
    assert shop_calls(side, "fill") == [("", {"a": "1", "b_c": "2"})]


def test_answers_of_other_forms(make: Make) -> None:
    """A range and `default` are answered by a status that only they say something of; a text is no JSON."""
    side = make(text=SHOP)
    found = gather(side)
    assert [(answer.operation, answer.status, answer.media) for answer in found.answers] == [
        ("list_orders", 200, "application/json"),
        ("put_order", 200, "text/plain"),
        ("put_order", 401, "application/json"),
        ("put_order", 400, "application/json"),
        ("put_order", 500, "application/json"),
    ]
    assert found.answers[4].value == {"a": "x"}
    reads = corpus.run(side, found).answers
    assert [read.value for read in reads if isinstance(read, Read)] == [answer.value for answer in found.answers]


LIMIT = "      - {name: limit, in: query, schema: {type: integer, examples: [5]}}\n"
SHOP_CHANGES = [
    ("order-id", "order_id"),
    ("note: ", "remark: "),
    ("{a: {type: string}, b-c: {type: string}}", "{b-c: {type: string}, a: {type: string}}"),
    (LIMIT, ""),
    ("      - {name: quiet", f"{LIMIT}      - {{name: quiet"),
    ("operationId: write", "operationId: scribble"),
]


def test_calls_of_another_document(make: Make) -> None:
    """The body shows what its keyword hides, the order of names is none, and a bad example is no evidence."""
    trial = run_both(make(text=SHOP), make(*SHOP_CHANGES, text=SHOP))
    assert [(found.rule, found.says) for found in evidence(trial)] == [
        ("call-refused", "`put_order` of example `Big` no longer takes `note`"),
        ("call-differs", "`put_order` of example `read`: the body says `order_id` where it said `order-id`"),
        ("call-refused", "there is no `write` any more"),
        ("answer-differs", "the answer 200 of `list_orders` no longer says `[0].order-id`"),
        ("answer-differs", "the answer 401 of `put_order` no longer says `order-id`"),
    ]
    before, after = trial.before.calls, trial.after.calls
    filled = [call.operation for call in trial.corpus.calls].index("fill")
    assert [made.content for made in (before[filled], after[filled]) if isinstance(made, Sent)] == [
        b"a=1&b-c=2",
        b"b-c=2&a=1",
    ]
    assert [made.target for made in (before[1], after[1]) if isinstance(made, Sent)] == [
        "/orders/s2?limit=5&sort=up",
        "/orders/s2?sort=up&limit=5",
    ]
    assert isinstance(before[4], Failure)  # `bad`


def test_calls_to_touch_are_python(make: Make) -> None:
    """A touched call is source that gives the example's value, and prints nothing that acts on a terminal."""
    trial = run_both(make(text=SHOP), make(*SHOP_CHANGES, text=SHOP))
    order, write = touches(trial)
    assert (order.pointer, write.pointer) == (f"{ORDERS}/post", "#/paths/~1notes/put")
    assert order.before == r'client.put_order(..., note="say \"hi\"\n\x1b[31m \u202e é")'
    assert order.after == order.before.replace("note", "remark")
    assert (write.before, write.after) == ("client.write(...)", "client.scribble(...)")

    class Recorder:
        def put_order(self, _: object, **keywords: str) -> str:
            return keywords["note"]

    said = json.loads(json.dumps(trial.corpus.calls[2].keywords))["note"]
    assert eval(order.before, {"client": Recorder()}) == said == 'say "hi"\n\x1b[31m \u202e é'
    assert order.before.isprintable()


def test_names_of_examples_do_nothing_in_print(make: Make) -> None:
    """What a document calls its examples is no more than text in a sentence."""
    text = SHOP.replace("read: {value", r""""it's \e[31m `{{ x }}`\n\u202e": {value""")
    says = [finding.says for finding in evidence(run_both(make(text=text), make(("/{shop}", "/of/{shop}"), text=text)))]
    assert all(sentence.isprintable() for sentence in says)
    assert any(r"it's \x1b[31m `{{ x }}`\n\u202e" in sentence for sentence in says)


def test_an_answer_that_means_the_opposite(make: Make) -> None:
    """An answer that was a success and is an error now is a break, and so is an error of another shape."""
    changes = [
        (
            "        default:\n          description: All.\n",
            "        '201': {description: Other.}\n        default:\n          description: All.\n",
        ),
        ("a: {enum: [x, y]}", "a: {enum: [1, 2]}"),
    ]
    found = evidence(run_both(make(text=SHOP), make(*changes, text=SHOP)))
    assert [(finding.rule, finding.says) for finding in found if finding.rule.startswith("answer")] == [
        ("answer-unreadable", "the answer 200 of `list_orders` is an error now"),
        ("answer-unreadable", "the answer 400 of `put_order` can no longer be read: it has another shape"),
        ("answer-unreadable", "the answer 500 of `put_order` can no longer be read: it has another shape"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('{"a":1,"b":[2]}', '{"b":[2],"a":1.0}', ""),
        ('{"a":1}', '{"a":2}', "says another `a`"),
        ('{"a":true}', '{"a":1}', "says another `a`"),
        ('{"a":[1]}', '{"a":[1,2]}', "says another `a`"),
        ('{"a":{"b":[{"c":1}]}}', '{"a":{"b":[{}]}}', "no longer says `a.b[0].c`"),
        ("{}", '{"a":1}', "also says `a`"),
        ('{"a":1}', '{"b":1}', "says `b` where it said `a`"),
        ('{"a":1}', '{"b":2}', "no longer says `a` and also says `b`"),
        ('{"a":1}', "[1]", "is another one"),
        ('{"a":1}', '{"a":', "is another one"),
    ],
)
def test_what_differs_in_bodies(make: Make, before: str, after: str, says: str) -> None:
    """A body that an API reads otherwise is told by what differs; one that only looks otherwise is none."""
    trial = run_both(make(), make())
    sent = [Sent("POST", "/", {"content-type": "application/json"}, body.encode()) for body in (before, after)]
    outcomes = [attrs.evolve(trial.before, calls=(*trial.before.calls[:-1], one)) for one in sent]
    found = evidence(attrs.evolve(trial, before=outcomes[0], after=outcomes[1]))
    assert [finding.says for finding in found] == (
        [f"`send_message` of example `mms`: the body {says}"] if says else []
    )


ANSWERED = """
openapi: 3.1.0
info: {title: Answers, version: 1.0.0}
components:
  schemas:
    Part: {type: object, required: [a], properties: {a: {type: integer}, b: {type: string}}}
    Whole:
      type: object
      properties:
        maybe: {anyOf: [{$ref: '#/components/schemas/Part'}, {type: 'null'}]}
        map: {type: object, additionalProperties: {$ref: '#/components/schemas/Part'}}
        free: {type: object, additionalProperties: true}
paths:
  /whole:
    get:
      operationId: getWhole
      responses:
        '200':
          description: All.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Whole'}
              example: {maybe: {a: 1}, map: {x: {a: 2}}, free: {y: {z: 3}}}
"""


def test_answers_may_require_more_anywhere(make: Make) -> None:
    """What a new document requires besides is no break inside a nullable object or a map either."""
    trial = run_both(make(text=ANSWERED), make(("required: [a]", "required: [a, b]"), text=ANSWERED))
    assert evidence(trial) == []
    assert trial.after.answers == (
        Read(True, {"maybe": {"a": 1, "b": "text"}, "map": {"x": {"a": 2, "b": "text"}}, "free": {"y": {"z": 3}}}),
    )


def test_an_example_has_an_end(tmp_path: Path) -> None:
    """Schemas that all refer to each other do not make an example that nobody can hold."""
    names = "ABCDEFGH"
    refers = ", ".join(f"{name.lower()}: {{$ref: '#/components/schemas/{name}'}}" for name in names)
    shown = "name: {type: string, examples: [me]}"
    schemas = "\n".join(f"    {name}: {{type: object, properties: {{{shown}, {refers}}}}}" for name in names)
    path = tmp_path / "wide.yaml"
    path.write_text(
        f"openapi: 3.1.0\ninfo: {{title: Wide, version: 1.0.0}}\ncomponents:\n  schemas:\n{schemas}\n"
        "paths:\n  /a:\n    get:\n      operationId: getA\n      responses:\n        '200':\n"
        "          description: A.\n          content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}\n"
    )
    document = load(path)
    (answer,) = gather(Side(tmp_path, document, reader.read(document))).answers
    assert answer.value["name"] == "me"
    assert answer.value["b"]["name"] == "me"
    assert json.dumps(answer.value).count("me") < 5000


# The program


def broken(side: Side, folder: Path, code: str) -> Side:
    """Return a side whose package runs a line of code when it is imported."""
    shutil.copytree(side.folder, folder / "broken")
    module = folder / "broken" / "redcloud_core_client" / "operations.py"
    module.write_text(module.read_text() + f"\n{code}\n")
    return Side(folder / "broken", side.document, side.contract)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os; os._exit(3)", r"died at its calls \(exit code 3\)"),
        ("raise RuntimeError('no')", r"died at its calls \(exit code 1\)\n(.*\n)*RuntimeError: no"),
        ("print('hello')", "cannot be read"),
        ("print('{}'); import os, sys; sys.stdout.flush(); os._exit(0)", "cannot be read"),
        ('print(\'{"calls": [], "answers": []}\', flush=True); import os; os._exit(0)', "cannot be read"),
        ("print('[]', flush=True); import os; os._exit(0)", "cannot be read"),
    ],
)
def test_a_program_that_fails(make: Make, tmp_path: Path, code: str, says: str) -> None:
    """A package that dies or says what nobody understands is a failure, never "no change"."""
    with pytest.raises(ToolFailed, match=says):
        evidence(run_both(make(), broken(make(), tmp_path, code)))


def test_a_program_that_hangs(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that never ends its calls is stopped, and a failure."""
    monkeypatch.setattr(corpus, "PATIENCE", 0.5)
    with pytest.raises(ToolFailed, match=r"after 0\.5 s and was stopped"):
        run_both(make(), broken(make(), tmp_path, "import time; time.sleep(60)"))


def test_the_program_runs_the_package_of_its_folder(make: Make, tmp_path: Path) -> None:
    """What is imported is the folder's package alone, and nothing is written into it."""
    side = broken(make(), tmp_path, "import sys; assert not any('scripts' in path for path in sys.path), sys.path")
    (side.folder / "redcloud_core_client" / "types.py").write_text("raise RuntimeError('of this folder')")
    with pytest.raises(ToolFailed, match="of this folder"):
        evidence(run_both(side, side))
    assert not list(side.folder.rglob("__pycache__"))
