"""The installation's settings: one frozen object, read from the environment once."""

from datetime import time
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Everything an operator may set; each variable is `SHABARMAN_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="SHABARMAN_", frozen=True, populate_by_name=True)

    home: Path = Path("var")
    """Folder of the data of one machine: embedded database and broker, process files, secret."""

    database_url: str | None = None
    """SQLAlchemy address of the database; unset means SQLite in `home`."""

    broker_url: str | None = Field(
        default=None, validation_alias=AliasChoices("SHABARMAN_BROKER_URL", "REDIS_URL", "broker_url")
    )
    """Address of Redis, Valkey or RabbitMQ; unset means the embedded broker that `shabarman up` keeps in `home`, and
    `none` that there is no broker: the relay then handles the messages by itself."""

    host: str = "127.0.0.1"
    """Address that the pages listen on."""

    port: int = Field(default=8000, ge=1, le=65535)
    """Port of the pages."""

    flower_port: int = Field(default=5555, ge=1, le=65535)
    """Port of Flower."""

    flower_host: str = "127.0.0.1"
    """Address that Flower listens on; another one than loopback needs SHABARMAN_FLOWER_AUTH."""

    flower_prefix: str | None = None
    """Path under which a proxy shows Flower, such as `flower`; unset means an address of its own."""

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Port on `host` at which `shabarman relay` and `shabarman worker` tell their figures to Prometheus; unset means
    that only the pages of the same machine do."""

    trace_url: str | None = None
    """Address of an OTLP collector that takes traces, such as `http://collector:4318`; unset means none are made."""

    smtp_url: str | None = None
    """Mail server, `smtp://[user:password@]host:port`; unset means that notices are kept in the pages only."""

    mail_from: str = "shabarman@localhost"
    """Sender of the e-mail notices."""

    secret: SecretStr | None = None
    """Key that signs envelopes, the same for all machines; unset means a key made once and kept in `home`. Several are
    separated by commas while keys are changed: the first signs, each of them is accepted."""

    run_times: Annotated[tuple[time, ...], NoDecode] = (time(10, 0), time(15, 0))
    """Departures of the courier, time of Almaty, comma-separated: `10:00,15:00` (service 7, item 11)."""

    centre_run_times: Annotated[dict[str, tuple[time, ...]], NoDecode] = Field(default_factory=dict)
    """Departures of centres that have their own, by office code: `1001=09:30,14:00;1006=11:00,16:00`."""

    cut_off_minutes: int = Field(default=15, ge=0)
    """How long, in minutes, before its departure a run takes no new packets; later ones go with the next run."""

    run_minutes: int = Field(default=120, ge=1)
    """Working minutes from the departure of a run until its papers are taken over where they go."""

    run_grace_minutes: int = Field(default=15, ge=1)
    """How long, in minutes, a run may depart late before operators are told."""

    near_share: float = Field(default=0.75, gt=0, lt=1)
    """Share of a step's time after which its holder is told that the deadline is near."""

    head_after_minutes: int = Field(default=60, ge=0)
    """Working minutes after a missed deadline until the head of the office is told."""

    operator_after_minutes: int = Field(default=480, ge=0)
    """Working minutes after a missed deadline until operators are told."""

    bulk_deadlines: int = Field(default=5, ge=1)
    """Most deadlines that one person is told of one by one; more of them at once become one message."""

    undo_minutes: int = Field(default=10, ge=0)
    """How long, in minutes, a person may take back the own last scan."""

    unclaimed_days: int = Field(default=30, ge=1)
    """How long, in days, a result waits for the applicant before a reminder, and before it may go back."""

    archive_months: int = Field(default=24, ge=1)
    """How long, in whole months, the history of a packet that has ended stays in the database before `shabarman
    archive` takes it."""

    archive_folder: Path | None = None
    """Folder of the archives; unset means `archive` in `home`."""

    session_minutes: int = Field(default=600, ge=5)
    """How long, in minutes, a sign-in without any request lasts."""

    session_longest_minutes: int = Field(default=720, ge=5)
    """How long, in minutes, a sign-in lasts at most, however much it is used: a working day with what is around it."""

    relay_batch: int = Field(default=200, ge=1, le=1000)
    """Most message ids in one task."""

    lease_seconds: int = Field(default=15, ge=5)
    """How long, in seconds, a published message may stay unfinished before it is published again; a letter has a
    minute at least."""

    message_attempts: int = Field(default=8, ge=1)
    """Attempts of one message before it becomes a dead letter."""

    retry_seconds: int = Field(default=20, ge=1)
    """First pause, in seconds, after a failed attempt; it doubles with each further one."""

    clock_seconds: int = Field(default=5, ge=1)
    """Most seconds that the clock of a machine may be off against the database's when a process starts."""

    log_level: str = "INFO"
    """Least level of the log lines."""

    worker_processes: int = Field(default=2, ge=1)
    """Child processes of one worker."""

    @field_validator("run_times", mode="before")
    @classmethod
    def _times_from_text(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(time.fromisoformat(part.strip()) for part in value.split(","))
        return value

    @field_validator("centre_run_times", mode="before")
    @classmethod
    def _times_by_centre(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.partition("=") for part in value.split(";") if part.strip()]
        return {code.strip(): cls._times_from_text(times) for code, _, times in parts}

    def run_times_of(self, centre: str) -> tuple[time, ...]:
        """Return the departures of one centre, in order."""
        return tuple(sorted(self.centre_run_times.get(centre, self.run_times)))

    @property
    def effective_archive_folder(self) -> Path:
        """Folder of the archives, with the place in `home` filled in."""
        return self.archive_folder or self.home / "archive"

    @property
    def effective_database_url(self) -> str:
        """Address of the database, with the embedded SQLite file filled in."""
        return self.database_url or f"sqlite:///{(self.home / 'shabarman.db').absolute()}"


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
