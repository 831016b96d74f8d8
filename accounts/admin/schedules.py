"""What beat runs, and how often. Solar and clocked schedules are of no use here and stay hidden."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from accounts.admin.base import PolicyAdmin
from supporthub.core.admin import chip, moment

for _model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class ScheduleForm(forms.ModelForm[PeriodicTask]):
    """Either an interval or a crontab."""

    class Meta:
        model = PeriodicTask
        fields = ("description", "enabled", "interval", "crontab")
        labels = {"enabled": _("On"), "interval": _("Interval"), "crontab": _("Crontab")}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("interval")) == bool(cleaned.get("crontab")):
            self.add_error("interval", gettext("Choose either an interval or a crontab."))
        return cleaned


@admin.register(PeriodicTask)
class ScheduleAdmin(PolicyAdmin):
    menu_title = _("Schedules")
    add_action = None
    form = ScheduleForm
    list_display = ("name", "state", "how_often", "last_run", "runs")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab")
    search_fields = ("name", "task")
    search_help_text = _("Name or task")
    ordering = ("name",)
    fields = ("what", "code", "description", "enabled", "interval", "crontab", "last_run", "runs")
    readonly_fields = ("what", "code", "last_run", "runs")
    help_texts = {
        "description": _("For colleagues: why it runs this often."),
        "enabled": _("Off: this does not run. Deliveries then wait until somebody switches the sweep on again."),
        "interval": _("Every so many seconds, minutes, hours or days. Beat notices a change within five seconds."),
        "crontab": _("At fixed times instead of an interval."),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Celery's own housekeeping is no business of a lead."""
        return super().get_queryset(request).exclude(task__startswith="celery.")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "description" and field is not None:
            field.widget.attrs["rows"] = 3
        return field

    @admin.display(description=_("what"))
    def what(self, obj: PeriodicTask) -> str:
        return str(obj.name)

    @admin.display(description=_("task"))
    def code(self, obj: PeriodicTask) -> str:
        return str(obj.task)

    @admin.display(description=_("state"), ordering="enabled")
    def state(self, obj: PeriodicTask) -> SafeString:
        return chip("done", _("on")) if obj.enabled else chip("off", _("off"))

    @admin.display(description=_("how often"))
    def how_often(self, obj: PeriodicTask) -> str:
        return str(obj.interval or obj.crontab or "–")

    @admin.display(description=_("last run"), ordering="last_run_at")
    def last_run(self, obj: PeriodicTask) -> SafeString | str:
        return moment(obj.last_run_at)

    @admin.display(description=_("runs"), ordering="total_run_count")
    def runs(self, obj: PeriodicTask) -> int:
        return int(obj.total_run_count)


@admin.register(IntervalSchedule)
class IntervalAdmin(PolicyAdmin):
    list_display = ("__str__", "every", "period")
    list_filter = ("period",)
    search_fields = ("every", "period")
    search_help_text = _("Number or unit")
    ordering = ("period", "every")
    fields = ("every", "period")
    change_action = None  # several schedules share a row: make another one instead
    help_texts = {
        "every": _("How many of the units below."),
        "period": _("The unit."),
    }


@admin.register(CrontabSchedule)
class CrontabAdmin(PolicyAdmin):
    list_display = ("__str__", "minute", "hour", "day_of_week", "timezone")
    search_fields = ("minute", "hour")
    search_help_text = _("Minute or hour")
    ordering = ("pk",)
    fields = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year", "timezone")
    change_action = None  # several schedules share a row: make another one instead
