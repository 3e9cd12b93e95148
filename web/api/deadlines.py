"""Deadlines through the API: why a step was late, as who was late explains it."""

from fastapi import APIRouter
from pydantic import BaseModel

from web.api.shapes import Because
from web.asking import AskingApi
from web.views.packets import canonical
from workflow.deadlines import explain

router = APIRouter(prefix="/api/v1/packets", tags=["deadlines"])


class ExplainedAnswer(BaseModel):
    """The step that is explained now."""

    number: str
    step: str


@router.post("/{number}/explain")
def explain_delay(number: str, given: Because, asking: AskingApi) -> ExplainedAnswer:
    """Explain why the last late step of a packet that the asking person held was late."""
    code = canonical(number)
    step = asking.database.transact(
        lambda session: explain(session, code, reason=given.reason, by=asking.by, now=asking.now)
    )
    return ExplainedAnswer(number=code, step=step)
