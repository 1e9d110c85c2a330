"""Every statement behind `GET /figures`: counts, no ids but those of lots and depots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contracts.events import Round
from messaging import Connection


@dataclass(frozen=True, slots=True)
class Group:
    """So many recipients of the same place and fate; `status` null: no package was ever planned."""

    programme: str
    period: str
    district: str
    village: str
    status: str | None
    supply: str | None
    reason: str | None
    is_addition: bool
    is_out: bool
    is_flagged: bool
    is_late: bool
    lacks_lot: bool
    lacks_proof: bool
    is_gap: bool
    households: int


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Deliveries of a programme with a proof that looks odd in this way."""

    programme: str
    code: str
    packages: int


@dataclass(frozen=True, slots=True)
class OfficeShare:
    """Packages planned for, and delivered by, carers of an office."""

    programme: str
    office_id: str
    planned: int
    delivered: int


@dataclass(frozen=True, slots=True)
class CardLine:
    """A line of the stock card: units of a lot on one account of a depot."""

    lot_id: str
    depot_id: str
    item: str
    source: str
    status: str
    account: str
    units: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class Recall:
    """Households that received units of a recalled lot."""

    lot_id: str
    item: str
    households: int


@dataclass(frozen=True, slots=True)
class Surplus:
    """What was decided about goods left of a programme's rounds, and for how many households."""

    programme: str
    use: str
    reason: str
    households: int


@dataclass(frozen=True, slots=True)
class Day:
    """Packages of a month's programme whose delivery became known on a local day."""

    programme: str
    day: date
    delivered: int


async def find_newest_month(db: Connection) -> str | None:
    """The month of the newest round."""
    month: str | None = await db.fetchval("select max(left(period, 7)) from round")
    return month


async def list_groups(db: Connection, month: str, district: str | None) -> list[Group]:
    """Recipients of a month's rounds by place and fate."""
    records = await db.fetch(
        """
        select programme, period, recipient.district, recipient.village, package.status,
            case when package.state ->> 'pledge_id' is not null then 'pledged' else package.state ->> 'supply' end
                as supply,
            coalesce(removed_because, package.state ->> 'failure_reason') as reason,
            added_because is not null as is_addition,
            package.status in ('picked_up', 'delivered', 'returned') or (package.state ->> 'attempts')::int > 0
                as is_out,
            jsonb_array_length(coalesce(package.state -> 'flags', '[]')) > 0 as is_flagged,
            coalesce((package.state #>> '{proof,late}')::boolean, false) as is_late,
            package.status = 'delivered' and package.state -> 'lots' = '[]' as lacks_lot,
            package.status = 'delivered'
                and (package.state #>> '{proof,photo_sha256}' is null or package.state #>> '{proof,place}' is null)
                as lacks_proof,
            coalesce((package.state ->> 'supply_gap')::boolean, false) as is_gap,
            count(*) as households
        from round
        join recipient using (round_id)
        left join package on package.round_id = recipient.round_id and package.household_id = recipient.household_id
        where left(period, 7) = $1 and ($2::text is null or recipient.district = $2)
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
        """,
        month,
        district,
    )
    return [Group(**{name: record[name] for name in Group.__dataclass_fields__}) for record in records]


async def list_rounds(db: Connection, month: str) -> list[Round]:
    """The month's rounds as their newest facts say."""
    records = await db.fetch(
        "select state from round where left(period, 7) = $1 order by period, programme, round_id", month
    )
    return [Round.model_validate_json(record["state"]) for record in records]


async def list_surplus(db: Connection, month: str) -> list[Surplus]:
    """What was decided about goods left of the month's rounds (rule 19)."""
    records = await db.fetch(
        """
        select programme, use, reason, sum(households)::int as households
        from surplus_decision join round using (round_id)
        where left(period, 7) = $1
        group by programme, use, reason
        order by programme, use, reason
        """,
        month,
    )
    return [Surplus(**dict(record)) for record in records]


async def list_suspicions(db: Connection, month: str, district: str | None) -> list[Suspicion]:
    """Flagged deliveries of a month; one can be flagged for several reasons."""
    records = await db.fetch(
        """
        select programme, flag as code, count(*) as packages
        from round
        join package using (round_id)
        cross join jsonb_array_elements_text(package.state -> 'flags') as flag
        where left(period, 7) = $1 and package.status = 'delivered'
            and ($2::text is null or package.state ->> 'district' = $2)
        group by programme, flag
        order by programme, flag
        """,
        month,
        district,
    )
    return [Suspicion(**dict(record)) for record in records]


async def list_offices(db: Connection, month: str, district: str | None) -> list[OfficeShare]:
    """Packages by the office of the household's carer."""
    records = await db.fetch(
        """
        select programme, office_id, count(*) as planned,
            count(*) filter (where package.status = 'delivered') as delivered
        from round
        join package using (round_id)
        join carer on carer.carer_id = (package.state ->> 'carer_id')::uuid
        where left(period, 7) = $1 and ($2::text is null or package.state ->> 'district' = $2)
        group by programme, office_id
        order by programme, office_id
        """,
        month,
        district,
    )
    return [OfficeShare(**dict(record)) for record in records]


async def list_days(db: Connection, month: str, district: str | None, zone: str) -> list[Day]:
    """Deliveries by the local day on which they became known."""
    records = await db.fetch(
        """
        select programme, (received_at at time zone $3)::date as day, count(*) as delivered
        from round
        join package using (round_id)
        join attempt using (package_id)
        where left(period, 7) = $1 and attempt.reason is null and package.status = 'delivered'
            and ($2::text is null or package.state ->> 'district' = $2)
        group by programme, day
        order by programme, day
        """,
        month,
        district,
        zone,
    )
    return [Day(**dict(record)) for record in records]


async def count_known(db: Connection, month: str, district: str | None, moments: Sequence[datetime]) -> list[int]:
    """Packages of the programmes that have a floor, delivered as known at each of these moments."""
    records = await db.fetch(
        """
        select place, count(package.package_id) as delivered
        from unnest($3::timestamptz[]) with ordinality as known (moment, place)
        left join (
            round
            join package on package.round_id = round.round_id
            join attempt on attempt.package_id = package.package_id and attempt.reason is null
        ) on received_at < moment and left(period, 7) = $1 and (round.state ->> 'floor')::int > 0
            and ($2::text is null or package.state ->> 'district' = $2)
        group by place
        order by place
        """,
        month,
        district,
        moments,
    )
    return [record["delivered"] for record in records]


async def sum_floor(db: Connection, month: str) -> int:
    """Packages promised for a month."""
    floor: int = await db.fetchval(
        "select coalesce(sum((state ->> 'floor')::int), 0)::int from round where left(period, 7) = $1", month
    )
    return floor


async def list_card(db: Connection, depots: Sequence[str] | None) -> list[CardLine]:
    """The stock card, by lot, depot and account."""
    records = await db.fetch(
        """
        select lot_id::text as lot_id, depot_id, item, source, status, account, units, units * unit_value as rupiah
        from balance join lot using (lot_id)
        where units > 0 and ($1::text[] is null or depot_id = any($1))
        order by lot_id, depot_id, account
        """,
        depots,
    )
    return [CardLine(**dict(record)) for record in records]


async def list_recalls(db: Connection) -> list[Recall]:
    """Every recalled lot, and who has it."""
    records = await db.fetch(
        """
        select lot.lot_id::text as lot_id, item, count(distinct household_id) as households
        from lot
        left join ledger_entry on ledger_entry.lot_id = lot.lot_id and to_account = 'delivered'
        left join package using (package_id)
        where lot.status = 'recalled'
        group by lot.lot_id, item
        order by lot.lot_id
        """
    )
    return [Recall(**dict(record)) for record in records]
