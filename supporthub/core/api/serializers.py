"""What the API takes: nothing that it does not know."""

from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields, so that a misspelt one is not lost in silence. The API's description says so, too."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError that names each unknown field, before any field is looked at."""
        if isinstance(data, dict):
            unknown = {str(name): ["There is no such field."] for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)
