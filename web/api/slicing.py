"""Long lists in slices: an answer names where the next slice begins in its `Link` header (RFC 8288)."""

from typing import Annotated, Any

from fastapi import Query, Request, Response

After = Annotated[
    str, Query(max_length=60, description="Where a slice begins; taken from the `Link` of the one before.")
]
AfterId = Annotated[
    int,
    Query(ge=0, lt=2**53, description="Where a slice begins; taken from the `Link` of the one before."),
]

IN_SLICES: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "Link": {
                "description": 'The address of the next slice, as `rel="next"`; missing on the last one.',
                "schema": {"type": "string"},
            }
        }
    }
}
"""What the description of the API says of such an answer."""


def tell_next(request: Request, answer: Response, following: str | None) -> None:
    """Name the next slice in the headers of `answer`, for the same question as that of `request`."""
    if following is not None:
        address = request.url.include_query_params(after=following)
        answer.headers["Link"] = f'<{address.path}?{address.query}>; rel="next"'
