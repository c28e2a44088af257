"""`python -m redcloud_core.sandbox`: serve the CORE API until SIGTERM or Ctrl-C."""

import argparse
import signal
import sys

from ._extra import extra_needed


def main() -> int:
    """Run the command.

    Returns:
        The exit code: 0 stopped, 1 cannot listen, 2 the extra `sandbox` is not installed.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    options = _parser().parse_args()
    try:
        with extra_needed():
            from ._listener import listen
            from ._server import serve
        serve(listen(options.host, options.port))
    except (ImportError, OSError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, ImportError) else 1
    return 0


def _leave(_number: int, _frame: object) -> None:
    """Answer a signal; uvicorn takes it while it serves, and passes it on here when it has closed everything."""
    raise SystemExit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m redcloud_core.sandbox",
        description="Serve the Red Cloud CORE API from memory. The first line of output says where it listens.",
    )
    parser.add_argument("--port", type=_port, default=0, help="the port to listen on; 0, the default, picks a free one")
    parser.add_argument("--host", default="127.0.0.1", help="the address to bind (default: %(default)s)")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
