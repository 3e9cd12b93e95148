"""The one tree of errors: each has a code, keeps its facts as attributes, and says what to do."""

from config.language import Text


class ShabarmanError(Exception):
    """Something a person or an operator can act on.

    `code` is stable and machine-readable; `facts` fill the places of `text`; `str(error)` is English.
    """

    code = "error"
    text: Text = Text("Something went wrong. Try again; if it stays, tell the operator.")
    status = 422
    """HTTP status of the answer when the error reaches a page or the API."""
    exit_code = 1
    """Exit code of the command line."""

    def __init__(self, text: Text | None = None, /, **facts: object) -> None:
        self.facts = facts
        if text is not None:
            self.text = text
        super().__init__(self.sentence())

    def sentence(self, language: str = "en") -> str:
        """Return the sentence in `language` (`kk`, `ru` or `en`) with the facts filled in."""
        return self.text.render(language, **self.facts)


class NotAllowedError(ShabarmanError):
    """The person's role or office may not do this."""

    code = "not_allowed"
    status = 403
    text = Text("Your role or office may not do this. Ask the head of your office.")


class NotFoundError(ShabarmanError):
    """What was named does not exist."""

    code = "not_found"
    status = 404
    text = Text("{what} is not known here. Check the number and try again.")


class ConflictError(ShabarmanError):
    """The state of things does not allow it now."""

    code = "conflict"
    status = 409


class BadInputError(ShabarmanError):
    """What was given cannot be used as it is."""

    code = "bad_input"
    status = 422


class SettingsError(ShabarmanError):
    """The installation is not set up; the process refuses to start."""

    code = "settings"
    status = 500
    exit_code = 2


class UnavailableError(ShabarmanError):
    """A server that is needed (database, broker) does not answer."""

    code = "unavailable"
    status = 503
    exit_code = 3
