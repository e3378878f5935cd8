"""Exit code 0 when the service answers that it can score; in images, run by the engine as their health check."""

import http.client
import sys


def main() -> int:
    """Ask ``/`` on the container's own port."""
    link = http.client.HTTPConnection("127.0.0.1", 5001, timeout=4)
    try:
        link.request("GET", "/")
        return 0 if link.getresponse().status == 200 else 1
    except OSError:
        return 1
    finally:
        link.close()


if __name__ == "__main__":
    sys.exit(main())
