from tickets.models.boards import Board, BoardGrant, Category, Tracker
from tickets.models.issues import IssueChange, IssueChangeAttempt, IssueLink, Submission, SubmissionAttempt
from tickets.models.tickets import Message, Ticket, TimelineEntry, Watcher, next_version

__all__ = [
    "Board",
    "BoardGrant",
    "Category",
    "IssueChange",
    "IssueChangeAttempt",
    "IssueLink",
    "Message",
    "Submission",
    "SubmissionAttempt",
    "Ticket",
    "TimelineEntry",
    "Tracker",
    "Watcher",
    "next_version",
]
