"""Tables, transactions and migrations: what is true and what keeps it so; never a rule of the trip."""

from models.alert import Alert
from models.applicant import ApplicantName
from models.archive import Archive, LeavingScan
from models.attempt import Attempt, MessageDecision
from models.base import Base
from models.change import Change
from models.compatibility import Compatibility
from models.deadline import Deadline
from models.discrepancy import Discrepancy
from models.event import Event
from models.heartbeat import Heartbeat
from models.job import Job
from models.manifest import Line, Manifest
from models.message import DeadLetter, Message
from models.notice import Notice
from models.office import Office, Serial
from models.office_day import CalendarYear, OfficeDay
from models.office_fact import OfficeFact
from models.packet import Packet
from models.printed import Print
from models.return_slip import ReturnSlip
from models.run import Run
from models.run_times import RunTimes
from models.scan import Scan
from models.sign_in_try import SignInTry
from models.staff import SignIn, Staff, Token

__all__ = [
    "Alert",
    "ApplicantName",
    "Archive",
    "Attempt",
    "Base",
    "CalendarYear",
    "Change",
    "Compatibility",
    "DeadLetter",
    "Deadline",
    "Discrepancy",
    "Event",
    "Heartbeat",
    "Job",
    "LeavingScan",
    "Line",
    "Manifest",
    "Message",
    "MessageDecision",
    "Notice",
    "Office",
    "OfficeDay",
    "OfficeFact",
    "Packet",
    "Print",
    "ReturnSlip",
    "Run",
    "RunTimes",
    "Scan",
    "Serial",
    "SignIn",
    "SignInTry",
    "Staff",
    "Token",
]
