"""The settings as a table for the README, from the class that reads them."""

from pydantic_core import PydanticUndefined

from messaging.settings import PREFIX, Settings


def settings_table() -> str:
    """Markdown: name, what it is without one, what it means."""
    rows = [("setting", "default", "meaning"), ("---", "---", "---")]
    for name, field in Settings.model_fields.items():
        default = "required" if field.default is PydanticUndefined else f"`{field.default}`" if field.default else ""
        rows.append((f"`{PREFIX}{name.upper()}`", default, field.description or ""))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
