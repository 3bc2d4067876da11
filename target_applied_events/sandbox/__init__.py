"""The endpoint on your desk: takes events as the Applied Labs endpoint is documented to, and shows what arrived.

It is written from the documented contract alone and shares no code with the target, so that each tests the other.

What the documentation leaves open, and how it is read here:

- A contact is looked for within its shop by email (case ignored), then phone (`+` and digits), then remote_id; the
  first that is known decides. Where identifiers point to two contacts, the event joins that one, the other stays.
- A contact that is found gets the identifiers that it lacked, unless they are another's. Those that it has are never
  replaced; its name is, by the latest one.
- A contact that is named by none of the three is refused; so are unknown fields and nulls. Each has a flag that lets
  it in.
- A metric without a value counts as 1. A metric whose deduping_key was seen in its shop is kept with its event and not
  counted again.
"""
