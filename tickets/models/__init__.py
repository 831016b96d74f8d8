from tickets.models.attachments import Attachment, FileAttempt, FileDelivery
from tickets.models.boards import Board, BoardGrant, Category, Tracker
from tickets.models.issues import IssueChange, IssueChangeAttempt, IssueLink, Submission, SubmissionAttempt
from tickets.models.tickets import Message, Ticket, TimelineEntry, Watcher, next_version
from tickets.models.tray import TraySubmission
from tickets.models.views import SavedView

__all__ = [
    "Attachment",
    "Board",
    "BoardGrant",
    "Category",
    "FileAttempt",
    "FileDelivery",
    "IssueChange",
    "IssueChangeAttempt",
    "IssueLink",
    "Message",
    "SavedView",
    "Submission",
    "SubmissionAttempt",
    "Ticket",
    "TimelineEntry",
    "Tracker",
    "TraySubmission",
    "Watcher",
    "next_version",
]
