"""registry: who is served, who serves, and who may have what; the only keeper of identities.

Decides: what is the same household (rule 3), eligibility from dated deciles (rule 4), who can be a carer (rule 7) and
whom a carer must not look after (rule 8).
Consumes: its submissions; where households are assigned, visited, supplied and what cases they have, to know who may
read a name.
Emits: household facts, profiles (sensitive), carer facts (sensitive).
Owns: the vault, where identities are kept encrypted, and the keyed hashes that find them.

`handlers.py` what happens for each message; `domain.py` households, `carers.py` carers, `identity.py` what NIK and NIP
say: all pure; `vault.py` encryption and keyed hashes; `store.py` and `vault_store.py` every statement; `api.py` reads.
"""

from contracts import events, submissions
from messaging import Card

CARD = Card(
    name="registry",
    decides="Who is served, who serves, and who may have what; the only keeper of identities.",
    consumes=(submissions.HouseholdSubmitted, submissions.CarerSubmitted),
    emits=(
        events.HouseholdRegistered,
        events.HouseholdUpdated,
        events.EligibilityGranted,
        events.HouseholdProfiled,
        events.CarerRegistered,
        events.CarerUpdated,
    ),
)
