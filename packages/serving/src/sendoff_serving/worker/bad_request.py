"""What a raw script asked of its request that the request does not have."""


class BadRequest(ValueError):
    """The request is not what the script asks of it; answered with 400.

    Its text is the one that scripts know from Flask, since many of them answer ``str(error)``. What is wrong stands
    in ``reason``, which is what the answer says when the script lets the exception pass.

    Args:
        reason: what is wrong with the request.
    """

    code = 400
    name = "Bad Request"
    description = "The browser (or proxy) sent a request that this server could not understand."

    def __init__(self, reason: str) -> None:
        ValueError.__init__(self, reason)
        self.reason = reason

    def __str__(self) -> str:
        return "%d %s: %s" % (self.code, self.name, self.description)


class BadRequestKeyError(BadRequest, KeyError):
    """The request has no value of the name that the script asked for; a KeyError too, as in Flask."""
