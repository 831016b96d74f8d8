"""Shapes of the ticket API: what is accepted, and what is answered."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from directory.models import Person
from tickets import workflow
from tickets.choices import MessageKind, Priority, Source, TicketStatus
from tickets.models import Board, Category, Message, Submission, SubmissionAttempt, Ticket, TimelineEntry
from tickets.services.intake import MAX_WATCHERS

BODY_FORMATS = ["plain", "markdown", "html"]
MAX_BODY = 200_000


class LabelField(serializers.CharField):
    """A label: no white space, because trackers refuse it."""

    def __init__(self) -> None:
        super().__init__(max_length=100)

    def to_internal_value(self, data: Any) -> str:
        label = super().to_internal_value(data)
        if any(char.isspace() for char in label):
            raise serializers.ValidationError("A label has no white space in it.")
        return str(label)


class NewTicketSerializer(serializers.Serializer[Any]):
    """A request for help. Unknown fields are refused, so that a misspelt one is not lost in silence."""

    title = serializers.CharField(max_length=500)
    body = serializers.CharField(max_length=MAX_BODY, trim_whitespace=False)
    body_format = serializers.ChoiceField(BODY_FORMATS, default="plain")
    board = serializers.CharField(max_length=50, required=False, default="", help_text="A board's short name.")
    category = serializers.CharField(max_length=50, required=False, default="", allow_blank=True)
    priority = serializers.ChoiceField(Priority.choices, default=Priority.NORMAL)
    requester = serializers.EmailField(max_length=254, required=False, default="", allow_blank=True)
    requester_name = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    organisation = serializers.CharField(max_length=50, required=False, default="", allow_blank=True)
    watchers = serializers.ListField(
        child=serializers.EmailField(max_length=254), required=False, default=list, max_length=MAX_WATCHERS
    )
    labels = serializers.ListField(child=LabelField(), required=False, default=list, max_length=20)

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown(self, data)
        return super().to_internal_value(data)


def refuse_unknown(serializer: serializers.Serializer[Any], data: Any) -> None:
    """Raise a validation error that names each field which the serializer does not know."""
    if isinstance(data, dict):
        unknown = {str(name): ["There is no such field."] for name in data if name not in serializer.fields}
        if unknown:
            raise serializers.ValidationError(unknown)


class TicketEditSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=500, required=False)
    priority = serializers.ChoiceField(Priority.choices, required=False)
    labels = serializers.ListField(child=LabelField(), required=False, max_length=20)
    assignee = serializers.EmailField(required=False, allow_null=True)
    version = serializers.IntegerField(
        required=False, help_text="The version you looked at; 409 when it is not the present one."
    )

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown(self, data)
        return super().to_internal_value(data)


class UserRefSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["email", "name"]


class PersonRefSerializer(serializers.ModelSerializer[Person]):
    class Meta:
        model = Person
        fields = ["email", "name"]


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """A ticket as lists and single answers show it."""

    key = serializers.CharField(read_only=True)
    organisation = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    board = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    category = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)
    requester = PersonRefSerializer(read_only=True, allow_null=True)
    assignee = UserRefSerializer(read_only=True, allow_null=True)
    status = serializers.ChoiceField(TicketStatus.choices, read_only=True)
    source = serializers.ChoiceField(Source.choices, read_only=True)  # type: ignore[assignment]  # the wire's word
    external_key = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    submission_state = serializers.CharField(source="submission.state", read_only=True)

    class Meta:
        model = Ticket
        fields = [
            "key", "title", "status", "priority", "organisation", "board", "category", "requester", "assignee",
            "labels", "source", "external_key", "submission_state", "url", "version", "created_at", "updated_at",
            "resolved_at",
        ]  # fmt: skip

    @extend_schema_field({"type": "string", "nullable": True})
    def get_external_key(self, ticket: Ticket) -> str | None:
        issue = getattr(ticket, "issue", None)
        return issue.key if issue else None

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, ticket: Ticket) -> str:
        return str(settings.PUBLIC_URL) + reverse("ticket", args=[ticket.key])


class MessageSerializer(serializers.ModelSerializer[Message]):
    author = serializers.SerializerMethodField()
    kind = serializers.ChoiceField(MessageKind.choices, read_only=True)

    class Meta:
        model = Message
        fields = ["id", "kind", "author", "html", "text", "created_at"]

    @extend_schema_field(PersonRefSerializer(allow_null=True))
    def get_author(self, message: Message) -> dict[str, str] | None:
        author = message.author_user or message.author_person
        return {"email": author.email, "name": author.name} if author else None


class NewMessageSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField([MessageKind.PUBLIC.value, MessageKind.INTERNAL.value])
    body = serializers.CharField(max_length=MAX_BODY, trim_whitespace=False)
    body_format = serializers.ChoiceField(BODY_FORMATS, default="plain")


class WatcherSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)


class TransitionSerializer(serializers.Serializer[Any]):
    verb = serializers.ChoiceField([verb.value for verb in workflow.Verb])


class OfferedTransitionSerializer(serializers.Serializer[Any]):
    verb = serializers.CharField()
    target = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the wire's word


class TimelineSerializer(serializers.ModelSerializer[TimelineEntry]):
    actor = UserRefSerializer(allow_null=True)

    class Meta:
        model = TimelineEntry
        fields = ["id", "kind", "actor", "data", "created_at"]


class AttemptSerializer(serializers.ModelSerializer[SubmissionAttempt]):
    class Meta:
        model = SubmissionAttempt
        fields = ["mode", "result", "code", "reason", "started_at", "ended_at"]


class SubmissionSerializer(serializers.ModelSerializer[Submission]):
    external_key = serializers.SerializerMethodField()
    external_url = serializers.SerializerMethodField()
    attempts = AttemptSerializer(many=True, read_only=True)

    class Meta:
        model = Submission
        fields = [
            "state", "external_key", "external_url", "reason_code", "reason", "tries", "not_before", "done_at",
            "attempts",
        ]  # fmt: skip

    @extend_schema_field({"type": "string", "nullable": True})
    def get_external_key(self, submission: Submission) -> str | None:
        issue = getattr(submission.ticket, "issue", None)
        return issue.key if issue else None

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_external_url(self, submission: Submission) -> str | None:
        issue = getattr(submission.ticket, "issue", None)
        return issue.url if issue else None


class BoardSerializer(serializers.ModelSerializer[Board]):
    tracker = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = Board
        fields = ["slug", "name", "is_active", "is_default", "tracker", "worked_in"]


class CategorySerializer(serializers.ModelSerializer[Category]):
    board = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = Category
        fields = ["slug", "name", "board", "is_active"]
