"""A synthetic Banyuwangi for the match: carers live in the towns, households do not. Positions are made up."""

import numpy as np
from numpy.typing import NDArray

import policies
from services.assignment.matching import NOBODY, Carers, Households, Problem, Weights

HOUSEHOLDS = 21_140
CARERS = 10_523
TOWNS = ("Banyuwangi", "Giri", "Glagah", "Kalipuro", "Rogojampi", "Genteng")
FAR = ("Muncar", "Wongsorejo", "Tegaldlimo", "Songgon", "Kalibaru", "Pesanggaran")
VILLAGES = 9  # a district
VILLAGE_DEGREES = 0.03  # how far villages lie from the district's centre
DOOR_DEGREES = 0.006  # how far doors lie from the village's

POLICY = policies.load()["35.10"]
Floats = NDArray[np.float64]


def banyuwangi(seed: int, times: int = 1) -> Problem:
    """Six towns have 55 % of the carers and 20 % of the households, six far districts 20 % and 55 %.

    `times` as many of both live in the same places: what one match of a larger regency costs.
    """
    random = np.random.default_rng(seed)
    households, carers = times * HOUSEHOLDS, times * CARERS
    centres = np.array([(district.latitude, district.longitude) for district in POLICY.districts])
    villages = centres[:, None] + random.normal(0, VILLAGE_DEGREES, (len(centres), VILLAGES, 2))
    homes = _places(random, villages, carers, in_towns=0.55, far=0.20)
    nearby = np.round(homes + random.normal(0, 0.01, homes.shape), 3)
    elsewhere = _places(random, villages, carers, in_towns=0.55, far=0.20)
    return Problem(
        households=Households(
            places=_places(random, villages, households, in_towns=0.20, far=0.55),
            wants=np.where(random.random(households) < 0.3, 1 << random.integers(0, 6, households), 0),
            current=np.full(households, NOBODY),
        ),
        carers=Carers(
            homes=homes,
            workplaces=np.where(random.random((carers, 1)) < 0.7, nearby, elsewhere),
            competences=np.where(random.random(carers) < 0.8, 1 << random.integers(0, 6, carers), 0),
            load=np.zeros(carers, np.int64),
            capacity=np.full(carers, POLICY.carers.capacity),
        ),
        conflicts=np.column_stack((random.integers(0, households, 80), random.integers(0, carers, 80))),
        weights=Weights(**dict(POLICY.matching)),
    )


def _places(random: np.random.Generator, villages: Floats, count: int, *, in_towns: float, far: float) -> Floats:
    names = [district.name for district in POLICY.districts]
    rest = (1 - in_towns - far) / (len(names) - len(TOWNS) - len(FAR))
    shares = [in_towns / len(TOWNS) if name in TOWNS else far / len(FAR) if name in FAR else rest for name in names]
    district, village = random.choice(len(names), count, p=shares), random.integers(0, VILLAGES, count)
    return np.round(villages[district, village] + random.normal(0, DOOR_DEGREES, (count, 2)), 3)
