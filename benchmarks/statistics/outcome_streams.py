"""Streams of outcomes with known truth: a logistic relation, several classes, numbers, wines; and how they change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from driftgauge.drift.outcomes.outcome_columns import ColumnPlaces, LabelledOutput, Task

Floats = NDArray[np.float64]

INPUTS = 5
MODEL_ROWS = 5_000
SLOPE = 4.3
WEIGHTS = np.array([1.0, 0.8, -0.6, 0.4, 0.0]) / np.linalg.norm([1.0, 0.8, -0.6, 0.4, 0.0])
_OTHER = np.array([0.4, 0.3, 0.5, -0.6, 0.7])
_ASIDE = (_OTHER - WEIGHTS * (WEIGHTS @ _OTHER)) / np.linalg.norm(_OTHER - WEIGHTS * (WEIGHTS @ _OTHER))

CLASSES = ColumnPlaces(prediction=0, label=2, confidence=1)
NUMBERS = ColumnPlaces(prediction=0, label=1)


@dataclass(frozen=True, slots=True)
class World:
    """Where inputs come from, and what their labels are.

    Args:
        turned: Degrees by which the weights of the relation are turned.
        bias: What is added to the log odds.
        sharper: What the log odds are multiplied by.
        flipped: Chance that a label is the other one.
        moved: What is added to each input: index and distance.
        harder: What the distance of the inputs from the border of the classes is multiplied by.
        square: Weight of the square of the first input, which the model does not know.
        alike: Correlation of the inputs of one request, and part of the requests whose labels share their chance.
        day: Rows of a day in which inputs become harder and easier; 0 for none.
    """

    turned: float = 0.0
    bias: float = 0.0
    sharper: float = 1.0
    flipped: float = 0.0
    moved: tuple[int, float] = (0, 0.0)
    harder: float = 1.0
    square: float = 0.0
    alike: float = 0.0
    day: int = 0


@dataclass(frozen=True, slots=True)
class Requests:
    """How many rows requests have.

    Args:
        rows: The rows of each request.
        unequal: Whether the number is drawn with equal chances from 1 to twice as many.
    """

    rows: int = 1
    unequal: bool = False

    def draw(self, rng: np.random.Generator, rows: int) -> NDArray[np.int64]:
        """The request of each row: shape `(rows,)`."""
        if not self.unequal:
            return np.arange(rows, dtype=np.int64) // self.rows
        lengths = rng.integers(1, 2 * self.rows + 1, rows)
        return np.repeat(np.arange(rows, dtype=np.int64), lengths)[:rows]


DrawOutcomes = Callable[[np.random.Generator, World, int, NDArray[np.int64]], Floats]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of outcomes.

    Args:
        draw: Draws rows of outcomes in some world, for these requests, in order.
        places: Where the columns are.
        classes: How many classes there are; 0 for numbers.
        world: The world of the reference.
    """

    draw: DrawOutcomes
    places: ColumnPlaces
    classes: int
    world: World = field(default_factory=World)

    def output(self, rows: Floats) -> LabelledOutput:
        """The output whose reference these rows are."""
        codes = [float(code) for code in range(self.classes)]
        task = Task.CLASSIFICATION if self.classes else Task.REGRESSION
        texts = [f"{code:g}" for code in codes]
        return LabelledOutput("y", task, codes, texts, self.places, self.places.columns(rows))


def inputs_of(rng: np.random.Generator, world: World, rows: int, requests: NDArray[np.int64]) -> Floats:
    """Normal inputs of shape `(rows, 5)`; those of one request are alike."""
    found = rng.standard_normal((rows, INPUTS))
    if world.alike:
        shared = rng.standard_normal((int(requests[-1]) + 1, INPUTS))[requests]
        found = np.sqrt(world.alike) * shared + np.sqrt(1 - world.alike) * found
    at, distance = world.moved
    found[:, at] += distance
    times = np.full(rows, world.harder)
    if world.day:
        times = times * np.exp(0.5 * np.sin(2 * np.pi * np.arange(rows) / world.day))
    along = found @ WEIGHTS
    found += np.outer(along * (times - 1), WEIGHTS)
    return found


def odds_of(world: World, inputs: Floats) -> Floats:
    """The log odds of the second class."""
    angle = np.radians(world.turned)
    weights = WEIGHTS * np.cos(angle) + _ASIDE * np.sin(angle)
    along = inputs @ weights + world.square * (inputs[:, 0] ** 2 - 1)
    return np.asarray(world.sharper * (SLOPE * along + 2 * world.bias))


@lru_cache(maxsize=8)
def logistic_model(seed: int, square: float) -> tuple[float, ...]:
    """The weights of a logistic regression, the constant last, from 5,000 rows: Newton's steps."""
    rng, world = np.random.default_rng([seed, 77]), World(square=square)
    inputs = inputs_of(rng, world, MODEL_ROWS, np.arange(MODEL_ROWS))
    labels = rng.random(MODEL_ROWS) < expit(odds_of(world, inputs))
    design, found = np.column_stack([inputs, np.ones(MODEL_ROWS)]), np.zeros(INPUTS + 1)
    for _ in range(12):
        chance = expit(design @ found)
        curvature = design.T @ (design * (chance * (1 - chance))[:, np.newaxis])
        found += np.linalg.solve(curvature, design.T @ (labels - chance))
    return tuple(found.tolist())


def two_classes(
    rng: np.random.Generator, world: World, rows: int, requests: NDArray[np.int64], square: float = 0.0
) -> Floats:
    """Outcomes of a logistic model: prediction, confidence, label. Labels of one request share their luck in part."""
    inputs = inputs_of(rng, world, rows, requests)
    luck = rng.random(rows)
    if world.alike:
        share = rng.random(int(requests[-1]) + 1)[requests]
        luck = np.where(rng.random(rows) < world.alike, share, luck)
    labels = (luck < expit(odds_of(world, inputs))) ^ (rng.random(rows) < world.flipped)
    chance = expit(np.column_stack([inputs, np.ones(rows)]) @ np.array(logistic_model(1, square)))
    return np.stack([chance > 1 / 2, np.maximum(chance, 1 - chance), labels], axis=1).astype(np.float64)


def four_classes(rng: np.random.Generator, world: World, rows: int, requests: NDArray[np.int64]) -> Floats:
    """Outcomes of a model that knows the relation of four classes: prediction, confidence, label."""
    inputs = inputs_of(rng, world, rows, requests)
    weights = np.random.default_rng(5).standard_normal((INPUTS, 4))
    scores = softmax(2 * inputs @ weights, axis=1)
    turned = softmax(2 * inputs @ np.roll(weights, int(world.turned > 0), axis=0), axis=1)
    labels = (rng.random((rows, 1)) > np.cumsum(turned, axis=1)).sum(axis=1).clip(0, 3)
    labels = np.where(rng.random(rows) < world.flipped, rng.integers(0, 4, rows), labels)
    return np.stack([scores.argmax(axis=1), scores.max(axis=1), labels], axis=1).astype(np.float64)


def numbers(rng: np.random.Generator, world: World, rows: int, requests: NDArray[np.int64]) -> Floats:
    """Outcomes of a linear model: prediction, label. The noise has the standard deviation `sharper`."""
    inputs = inputs_of(rng, world, rows, requests)
    weights = np.array([1.0, 0.8, -0.6, 0.4, 0.0])
    truth = inputs @ (weights + np.array([world.square, 0, 0, 0, 0])) + world.bias
    return np.stack([inputs @ weights, truth + world.sharper * rng.standard_normal(rows)], axis=1)


LOGIT = Kind(two_classes, CLASSES, 2)
WRONG = Kind(partial(two_classes, square=0.3), CLASSES, 2, World(square=0.3))
FOUR = Kind(four_classes, CLASSES, 4)
LINEAR = Kind(numbers, NUMBERS, 0)
