"""The language of templates: read once, held against what mappings can do, and made a function of a record.

`template` reads one and knows how it's evaluated: `simple` without Jinja, `expressions` with it. `syntax` says what may
be written, `references` what columns it's about. `operators`, `operations`, `filters` and `arithmetic` are what it can
do to values, `notation` how those are written.
"""

from target_applied_events.mapping.template.template import Reader, Template, parse, scalar, why_not

__all__ = ["Reader", "Template", "parse", "scalar", "why_not"]
