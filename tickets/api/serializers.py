"""Shapes of the ticket API: what is accepted, and what is answered."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from directory.models import Person
from supporthub.core.api.serializers import StrictSerializer
from tickets import workflow
from tickets.choices import MessageKind, Priority, Source, TicketStatus
from tickets.models import Attachment, Board, Category, Message, Submission, SubmissionAttempt, Ticket, TimelineEntry
from tickets.services.intake import MAX_WATCHERS

BODY_FORMATS = ["plain", "markdown", "html"]
MAX_BODY = 200_000


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^\S+$"})
class LabelField(serializers.CharField):
    """A label: no white space, because trackers refuse it."""

    def __init__(self) -> None:
        super().__init__(max_length=100)

    def to_internal_value(self, data: Any) -> str:
        label = super().to_internal_value(data)
        if any(char.isspace() for char in label):
            raise serializers.ValidationError("A label has no white space in it.")
        return str(label)


class NewTicketSerializer(StrictSerializer):
    """A request for help."""

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


class TicketEditSerializer(StrictSerializer):
    title = serializers.CharField(max_length=500, required=False)
    priority = serializers.ChoiceField(Priority.choices, required=False)
    labels = serializers.ListField(child=LabelField(), required=False, max_length=20)
    assignee = serializers.EmailField(required=False, allow_null=True)
    version = serializers.IntegerField(
        required=False, help_text="The version you looked at; 409 when it is not the present one."
    )


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


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    """`submission_state` is the state of the file's way into the tracker; null when it does not go there (yet)."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    message = serializers.PrimaryKeyRelatedField[Any](read_only=True, allow_null=True)
    uploaded_by = serializers.SerializerMethodField()
    submission_state = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Attachment
        fields = [
            "id", "name", "media_type", "size", "sha256", "message", "uploaded_by", "submission_state", "created_at",
            "url",
        ]  # fmt: skip

    @extend_schema_field(PersonRefSerializer(allow_null=True))
    def get_uploaded_by(self, attachment: Attachment) -> dict[str, str] | None:
        who = attachment.uploaded_by or attachment.uploaded_by_person
        return {"email": who.email, "name": who.name} if who else None

    @extend_schema_field({"type": "string", "nullable": True})
    def get_submission_state(self, attachment: Attachment) -> str | None:
        delivery = getattr(attachment, "delivery", None)
        return delivery.state if delivery else None

    @extend_schema_field({"type": "string", "format": "uri-reference"})
    def get_url(self, attachment: Attachment) -> str:
        key = Ticket(pk=attachment.ticket_id).key
        return reverse("api-attachment-content", args=[key, attachment.public_id])


class MessageSerializer(serializers.ModelSerializer[Message]):
    author = serializers.SerializerMethodField()
    kind = serializers.ChoiceField(MessageKind.choices, read_only=True)
    attachments = AttachmentSerializer(many=True, read_only=True)

    class Meta:
        model = Message
        fields = ["id", "kind", "author", "html", "text", "attachments", "created_at"]

    @extend_schema_field(PersonRefSerializer(allow_null=True))
    def get_author(self, message: Message) -> dict[str, str] | None:
        author = message.author_user or message.author_person
        return {"email": author.email, "name": author.name} if author else None


class NewMessageSerializer(StrictSerializer):
    kind = serializers.ChoiceField([MessageKind.PUBLIC.value, MessageKind.INTERNAL.value])
    body = serializers.CharField(max_length=MAX_BODY, trim_whitespace=False)
    body_format = serializers.ChoiceField(BODY_FORMATS, default="plain")


class AttachedFilesField(serializers.ListField):
    """Only for the description of the API: files are received and judged before any serializer is asked."""

    child = serializers.FileField()


class NewMessageFormSerializer(NewMessageSerializer):
    """A message as a form: with files the body may be empty."""

    body = serializers.CharField(
        max_length=MAX_BODY, trim_whitespace=False, required=False, default="", allow_blank=True
    )
    attachments = AttachedFilesField(required=False)


class NewTicketFormSerializer(NewTicketSerializer):
    attachments = AttachedFilesField(required=False)


class WatcherSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)


class TransitionSerializer(StrictSerializer):
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
