"""Traces, for whoever asks for them: from the request of a scan through relay and worker to the notice.

Off unless `SHABARMAN_TRACE_URL` is set; then OpenTelemetry (`pip install shabarman[otel]`) is loaded, else not. What
carries the thread from process to process is the W3C `traceparent` in the body of the message's row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from config.errors import SettingsError
from config.language import Text


class NoTracingError(SettingsError):
    """Traces are asked for, and the packages for them are not installed."""

    code = "no_tracing"
    text = Text(
        "SHABARMAN_TRACE_URL asks for traces, but OpenTelemetry is not installed. Install shabarman[otel], or unset it."
    )


class Span(Protocol):
    """One stretch of work in a trace."""

    def name(self, text: str) -> None:
        """Name the stretch when it is known what it was."""

    def note(self, **attributes: str | float) -> None:
        """Add what is known of it; identifiers only, as in the log."""


class _NoSpan:
    def name(self, text: str) -> None:
        """Keep nothing."""

    def note(self, **attributes: str | float) -> None:
        """Keep nothing."""


_NOTHING: AbstractContextManager[Span] = nullcontext(_NoSpan())
_tracer: Any = None


def is_on() -> bool:
    """Tell whether this process traces."""
    return _tracer is not None


def configure(process: str, *, url: str | None, exporter: Any = None) -> None:  # noqa: ANN401 - a library's own
    """Trace from now on and send the traces to the OTLP collector at `url`; without an address, do nothing.

    `exporter` takes them instead of a collector. Raises NoTracingError where OpenTelemetry is not installed.
    """
    global _tracer  # noqa: PLW0603 - one for each process, as the library has it
    if url is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import (  # noqa: PLC0415 - as above
            BatchSpanProcessor,
            SimpleSpanProcessor,
        )
    except ImportError:
        raise NoTracingError from None
    provider = TracerProvider(resource=Resource.create({"service.name": f"shabarman-{process}"}))
    if exporter is None:
        address = url.rstrip("/") + "/v1/traces"
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    else:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    _tracer = provider.get_tracer("shabarman")


def stop() -> None:
    """Trace no more."""
    global _tracer  # noqa: PLW0603 - as above
    _tracer = None


def span(name: str, *, parent: str | None = None, **attributes: str | float) -> AbstractContextManager[Span]:
    """Return a stretch of work for a `with` block; it belongs to the trace of `parent`, a `traceparent`, if given."""
    return _NOTHING if _tracer is None else _span(name, parent, attributes)


def current() -> str | None:
    """Return the `traceparent` of the present stretch of work; None where nothing is traced."""
    if _tracer is None:
        return None
    carrier: dict[str, str] = {}
    _propagator().inject(carrier)
    return carrier.get("traceparent")


class _LiveSpan:
    def __init__(self, held: Any) -> None:  # noqa: ANN401 - a library's own
        self._held = held

    def name(self, text: str) -> None:
        self._held.update_name(text)

    def note(self, **attributes: str | float) -> None:
        self._held.set_attributes(attributes)


@contextmanager
def _span(name: str, parent: str | None, attributes: dict[str, str | float]) -> Iterator[Span]:
    context = _propagator().extract({"traceparent": parent}) if parent else None
    with _tracer.start_as_current_span(name, context=context, attributes=attributes) as held:
        yield _LiveSpan(held)


def _propagator() -> Any:  # noqa: ANN401 - a library's own
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 - an extra
        TraceContextTextMapPropagator,
    )

    return TraceContextTextMapPropagator()
